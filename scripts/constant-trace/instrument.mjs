// Makes a module note what an attacker on the same machine may observe: each condition of a branch or select, each
// address of a load or store, addresses and sizes of bulk operations, and the operands of instructions whose time depends
// on them. The instructions themselves stay, byte by byte; in between come calls that see an operand and give it back.
//
// Mode `hash` mixes what is seen into two 64-bit words, in two globals: equal traces, equal words. Mode `record` writes
// every pair of place and value behind the module's memory. Both count, and trap at the event that `limit` names.

import {
  name,
  Reader,
  readBodies,
  readInstruction,
  readSections,
  Section,
  signed,
  u32,
  writeModule,
} from './wasm.mjs';

const PAGE_BYTES = 65536;
const RECORD_PAGES = 1024;
/** Of a recorded event: the place, four bytes of nothing, the value. */
export const EVENT_BYTES = 16;

const [I32, I64, F32, F64, V128] = [0x7f, 0x7e, 0x7d, 0x7c, 0x7b];

// By opcode: a name for messages, the types of the operands, and which of them are seen.
const observed = new Map([
  [0x04, ['if', [I32], [0]]],
  [0x0d, ['br_if', [I32], [0]]],
  [0x0e, ['br_table', [I32], [0]]],
  [0x11, ['call_indirect', [I32], [0]]],
  ...range(0x1b, 0x1c, ['select', [I32], [0]]),
  ...range(0x28, 0x35, ['load', [I32], [0]]),
  ...[0x36, 0x3a, 0x3b].map((opcode) => [opcode, ['store', [I32, I32], [0]]]),
  ...[0x37, 0x3c, 0x3d, 0x3e].map((opcode) => [opcode, ['store', [I32, I64], [0]]]),
  [0x38, ['store', [I32, F32], [0]]],
  [0x39, ['store', [I32, F64], [0]]],
  [0x40, ['memory.grow', [I32], [0]]],
  ...range(0x6d, 0x70, ['division', [I32, I32], [0, 1]]),
  ...range(0x7f, 0x82, ['division', [I64, I64], [0, 1]]),
  ...range(0x8b, 0x91, ['f32 arithmetic', [F32], [0]]),
  ...range(0x92, 0x98, ['f32 arithmetic', [F32, F32], [0, 1]]),
  ...range(0x99, 0x9f, ['f64 arithmetic', [F64], [0]]),
  ...range(0xa0, 0xa6, ['f64 arithmetic', [F64, F64], [0, 1]]),
  [0xfc08, ['memory.init', [I32, I32, I32], [0, 1, 2]]],
  [0xfc0a, ['memory.copy', [I32, I32, I32], [0, 1, 2]]],
  [0xfc0b, ['memory.fill', [I32, I32, I32], [0, 2]]],
  ...range(0xfd00, 0xfd0a, ['v128 load', [I32], [0]]),
  [0xfd0b, ['v128 store', [I32, V128], [0]]],
  ...range(0xfd54, 0xfd57, ['v128 load of a lane', [I32, V128], [0]]),
  ...range(0xfd58, 0xfd5b, ['v128 store of a lane', [I32, V128], [0]]),
  ...range(0xfd5c, 0xfd5d, ['v128 load', [I32], [0]]),
]);

function range(first, last, entry) {
  return Array.from({ length: last - first + 1 }, (_, i) => [first + i, entry]);
}

/** Vectors of floating-point numbers, and the relaxed instructions: how long they take has not been looked at. */
const isUnjudged = (opcode) =>
  opcode >= 0xfde0 ||
  (opcode >= 0xfd41 && opcode <= 0xfd4c) || // comparisons
  [0xfd5e, 0xfd5f].includes(opcode) || // conversions
  [0xfd67, 0xfd68, 0xfd69, 0xfd6a, 0xfd74, 0xfd75, 0xfd7a, 0xfd94].includes(opcode); // rounding

/**
 * The module with its events observed.
 * places: by number, the operation, the index of the function and the offset of the instruction in the module.
 * globals: the names under which the globals that can change are exported, for tests of wiping.
 */
export function instrument(module, mode) {
  const sections = readSections(module).filter(({ id }) => id !== Section.custom);
  const contentOf = (id) => sections.find((section) => section.id === id).content;
  const paramCounts = readParamCounts(contentOf(Section.type), contentOf(Section.function));
  const globals = readGlobals(contentOf(Section.global));
  const memoryPages = readMemoryPages(contentOf(Section.memory));
  const typeCount = lengthOf(contentOf(Section.type));

  const context = {
    see: new Map([I32, I64].map((type, i) => [type, paramCounts.length + i])),
    own: Object.fromEntries(ownGlobals.map(({ key }, i) => [key, globals.length + i])),
    recordEnd: (memoryPages + RECORD_PAGES) * PAGE_BYTES,
    places: [],
  };
  const { start: codeStart, content: code } = sections.find(({ id }) => id === Section.code);
  const bodies = readBodies(code).map((body, i) => {
    const observe = new Observer(context, i, paramCounts[i], codeStart);
    return observe.body(code, body);
  });

  const additions = {
    [Section.type]: [I32, I64].map((type) => [0x60, 2, type, I32, 1, type]),
    [Section.function]: [typeCount, typeCount + 1].map(u32),
    [Section.global]: ownGlobals.map(({ type, initial }) => constantGlobal(type, initial(memoryPages))),
    [Section.export]: exportsOf(globals, context),
  };
  const written = sections.map(({ id, content }) => {
    if (id === Section.code) return { id, content: vector([...bodies, ...seeFunctions(mode, context)]) };
    if (id === Section.memory && mode === 'record') return { id, content: memorySection(memoryPages) };
    return { id, content: id in additions ? append(content, additions[id]) : content };
  });
  return {
    wasm: writeModule(written),
    places: context.places,
    globals: globals.flatMap((mutable, i) => (mutable ? [globalName(i)] : [])),
  };
}

const ownGlobals = [
  { key: 'first', type: I64, initial: () => 0 },
  { key: 'second', type: I64, initial: () => 0 },
  { key: 'count', type: I32, initial: () => 0 },
  { key: 'limit', type: I32, initial: () => 0 },
  { key: 'cursor', type: I32, initial: (memoryPages) => memoryPages * PAGE_BYTES },
];

const globalName = (index) => `global ${index}`;

/** Puts the calls into one function. */
class Observer {
  constructor(context, functionIndex, paramCount, codeStart) {
    Object.assign(this, { context, functionIndex, codeStart });
    this.nextLocal = paramCount;
    this.temporaries = new Map();
  }

  body(code, { locals, start, end }) {
    for (const { count } of locals) this.nextLocal += count;
    const reader = new Reader(code, start);
    const instructions = [];
    while (reader.at < end) {
      const from = reader.at;
      const opcode = readInstruction(reader);
      if (isUnjudged(opcode)) throw new Error(`no rule for instruction 0x${opcode.toString(16)}`);
      const rule = observed.get(opcode);
      if (rule !== undefined) instructions.push(...this.observe(rule, this.codeStart + from));
      instructions.push(...code.subarray(from, reader.at));
    }
    const declarations = [
      ...locals.map(({ count, type }) => [...u32(count), type]),
      ...[...this.temporaries.values()].map(({ type }) => [1, type]),
    ];
    return sized([...vector(declarations), ...instructions]);
  }

  /** All operands go to locals and come back one by one, through `see` where they are seen. */
  observe([operation, types, seen], offset) {
    if (types.length === 1 && this.context.see.has(types[0])) return this.see(types[0], operation, offset);
    const locals = types.map((type, i) => this.temporary(type, i));
    const saved = locals.map((local) => [0x21, ...u32(local)]).reverse();
    const restored = locals.map((local, i) => {
      const get = [0x20, ...u32(local)];
      if (!seen.includes(i)) return get;
      if (this.context.see.has(types[i])) return [...get, ...this.see(types[i], operation, offset)];
      const bits = types[i] === F32 ? I32 : I64;
      const reinterpret = types[i] === F32 ? 0xbc : 0xbd;
      return [...get, reinterpret, ...this.see(bits, operation, offset), 0x1a, ...get];
    });
    return [...saved, ...restored].flat();
  }

  see(type, operation, offset) {
    const { places, see } = this.context;
    places.push({ operation, functionIndex: this.functionIndex, offset });
    return [0x41, ...signed(places.length - 1), 0x10, ...u32(see.get(type))];
  }

  temporary(type, position) {
    const key = `${type} ${position}`;
    if (!this.temporaries.has(key)) this.temporaries.set(key, { type, index: this.nextLocal++ });
    return this.temporaries.get(key).index;
  }
}

/** see(value, place): value, for i32 and for i64. */
function seeFunctions(mode, { own, recordEnd }) {
  const get = (key) => [0x23, ...u32(own[key])];
  const set = (key) => [0x24, ...u32(own[key])];
  const place = [0x20, 1];
  const widened = (type) => (type === I32 ? [0x20, 0, 0xad] : [0x20, 0]);
  const rotated = (key, by) => [...get(key), 0x42, ...signed(by), 0x89];
  const times = (factor) => [0x42, ...signed(BigInt.asIntN(64, factor)), 0x7e];

  // first = (first <<< 29 ^ value) * odd + place, and likewise the second with + and ^ exchanged
  const hash = (type) => [
    ...[...rotated('first', 29), ...widened(type), 0x85, ...times(0x9e3779b97f4a7c15n)],
    ...[...place, 0xad, 0x7c, ...set('first')],
    ...[...rotated('second', 41), ...widened(type), 0x7c, ...times(0xbf58476d1ce4e5b9n)],
    ...[...place, 0xad, 0x85, ...set('second')],
  ];
  const record = (type) => [
    ...[...get('cursor'), 0x41, ...signed(recordEnd), 0x49, 0x04, 0x40],
    ...[...get('cursor'), ...place, 0x36, 2, 0],
    ...[...get('cursor'), ...widened(type), 0x37, 3, 8],
    ...[...get('cursor'), 0x41, EVENT_BYTES, 0x6a, ...set('cursor'), 0x0b],
  ];
  const count = [...get('count'), 0x41, 1, 0x6a, ...set('count')];
  const trapAtLimit = [...get('count'), ...get('limit'), 0x46, 0x04, 0x40, 0x00, 0x0b];
  return [I32, I64].map((type) =>
    sized([0, ...(mode === 'hash' ? hash : record)(type), ...count, ...trapAtLimit, 0x20, 0, 0x0b]),
  );
}

function exportsOf(globals, { own }) {
  const entry = (text, index) => [...name(text), 0x03, ...u32(index)];
  return [
    ...ownGlobals.map(({ key }) => entry(`trace ${key}`, own[key])),
    ...globals.flatMap((mutable, i) => (mutable ? [entry(globalName(i), i)] : [])),
  ];
}

const lengthOf = (content) => new Reader(content).u32();
const vector = (items) => [...u32(items.length), ...items.flatMap((item) => Array.from(item))];
const sized = (bytes) => [...u32(bytes.length), ...bytes];

function append(content, items) {
  const reader = new Reader(content);
  const length = reader.u32();
  return [...u32(length + items.length), ...content.subarray(reader.at), ...items.flat()];
}

function constantGlobal(type, value) {
  return [type, 1, type === I64 ? 0x42 : 0x41, ...signed(value), 0x0b];
}

/** The number of parameters of every function. A module with imports would count functions from elsewhere. */
function readParamCounts(types, functions) {
  const typeReader = new Reader(types);
  const counts = Array.from({ length: typeReader.u32() }, () => {
    typeReader.byte();
    const { length } = typeReader.take(typeReader.u32());
    typeReader.take(typeReader.u32());
    return length;
  });
  const reader = new Reader(functions);
  return Array.from({ length: reader.u32() }, () => counts[reader.u32()]);
}

/** Of every global, whether it can change. */
function readGlobals(content) {
  const reader = new Reader(content);
  return Array.from({ length: reader.u32() }, () => {
    reader.byte();
    const mutable = reader.byte() === 1;
    while (readInstruction(reader) !== 0x0b);
    return mutable;
  });
}

function readMemoryPages(content) {
  const reader = new Reader(content, 2);
  return reader.u32();
}

const memorySection = (pages) => [1, 0, ...u32(pages + RECORD_PAGES)];
