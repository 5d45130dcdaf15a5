// Reads WASM as bytes (WebAssembly Core Specification 2.0, chapter 5): sections, function bodies and, within these, where
// each instruction begins and ends. What it does not know it refuses, so nothing passes through unseen.

export const Section = { custom: 0, type: 1, function: 3, memory: 5, global: 6, export: 7, code: 10 };

export class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }
  byte() {
    if (this.at >= this.bytes.length) throw new RangeError('the module ends early');
    return this.bytes[this.at++];
  }
  /** An unsigned LEB128 number below 2^32. */
  u32() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
  skipNumber() {
    while (this.byte() >= 0x80);
  }
  take(length) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  text() {
    return new TextDecoder().decode(this.take(this.u32()));
  }
}

/** An unsigned number in LEB128. */
export function u32(value) {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  return [...bytes, value];
}

/** A signed number in LEB128. */
export function signed(number) {
  const bytes = [];
  let value = BigInt(number);
  for (; value < -0x40n || value >= 0x40n; value >>= 7n) bytes.push(Number(value & 0x7fn) | 0x80);
  return [...bytes, Number(value & 0x7fn)];
}

export function name(text) {
  const bytes = new TextEncoder().encode(text);
  return [...u32(bytes.length), ...bytes];
}

/** The sections of a module, in order: id, content and where in the module the content starts. */
export function readSections(module) {
  const reader = new Reader(module, 8);
  const sections = [];
  while (reader.at < module.length) {
    const id = reader.byte();
    const length = reader.u32();
    sections.push({ id, start: reader.at, content: reader.take(length) });
  }
  return sections;
}

/** The module of these sections; contents are arrays of bytes of any kind. */
export function writeModule(sections) {
  const parts = sections.map(({ id, content }) => Uint8Array.from([id, ...u32(content.length), ...content]));
  return new Uint8Array(Buffer.concat([Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0), ...parts]));
}

/** The function bodies of a code section: declarations of locals, and the instructions with the closing `end`. */
export function readBodies(content) {
  const reader = new Reader(content);
  return Array.from({ length: reader.u32() }, () => {
    const size = reader.u32();
    const end = reader.at + size;
    const locals = Array.from({ length: reader.u32() }, () => ({
      count: reader.u32(),
      type: reader.byte(),
    }));
    const start = reader.at;
    reader.at = end;
    return { locals, start, end };
  });
}

/** Reads one instruction: its opcode, those with a prefix as prefix · 256 + number. */
export function readInstruction(reader) {
  const opcode = reader.byte();
  if (opcode === 0xfc || opcode === 0xfd) {
    const number = reader.u32();
    const whole = opcode * 256 + number;
    (opcode === 0xfc ? skipBulkImmediates : skipVectorImmediates)(reader, number);
    return whole;
  }
  skipImmediates(reader, opcode);
  return opcode;
}

function skipImmediates(reader, opcode) {
  if (opcode >= 0x45 && opcode <= 0xc4) return; // numeric
  if (opcode >= 0x28 && opcode <= 0x3e) return skipMemoryArgument(reader);
  if (opcode >= 0x20 && opcode <= 0x24) return reader.skipNumber(); // locals and globals
  switch (opcode) {
    case 0x00: // unreachable
    case 0x01: // nop
    case 0x05: // else
    case 0x0b: // end
    case 0x0f: // return
    case 0x1a: // drop
    case 0x1b: // select
      return;
    case 0x02: // block
    case 0x03: // loop
    case 0x04: // if
    case 0x0c: // br
    case 0x0d: // br_if
    case 0x10: // call
    case 0x3f: // memory.size
    case 0x40: // memory.grow
    case 0x41: // i32.const
    case 0x42: // i64.const
      return reader.skipNumber();
    case 0x0e: // br_table
      for (let labels = reader.u32() + 1; labels > 0; labels--) reader.skipNumber();
      return;
    case 0x11: // call_indirect
      reader.skipNumber();
      return reader.skipNumber();
    case 0x1c: // select with a type
      return void reader.take(reader.u32());
    case 0x43: // f32.const
      return void reader.take(4);
    case 0x44: // f64.const
      return void reader.take(8);
    default:
      throw new Error(`unknown instruction 0x${opcode.toString(16)}`);
  }
}

function skipBulkImmediates(reader, number) {
  if (number <= 7 || number === 11) return void (number === 11 && reader.skipNumber()); // trunc_sat, memory.fill
  if (number === 8 || number === 10) {
    reader.skipNumber(); // memory.init, memory.copy
    return reader.skipNumber();
  }
  if (number === 9) return reader.skipNumber(); // data.drop
  throw new Error(`unknown instruction 0xfc ${number}`);
}

function skipVectorImmediates(reader, number) {
  if (number <= 11 || number === 92 || number === 93) return skipMemoryArgument(reader);
  if (number === 12 || number === 13) return void reader.take(16); // v128.const, i8x16.shuffle
  if (number >= 21 && number <= 34) return void reader.byte(); // lanes
  if (number >= 84 && number <= 91) {
    skipMemoryArgument(reader);
    return void reader.byte();
  }
  if (number > 0x113) throw new Error(`unknown instruction 0xfd ${number}`);
}

function skipMemoryArgument(reader) {
  if (reader.u32() >= 0x40) throw new Error('a memory other than the first');
  reader.skipNumber();
}
