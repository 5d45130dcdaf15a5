// IP addresses and CIDR blocks (RFC 4632, RFC 4291 §2.2–2.3), for the option `from=` of a client's line. An IPv4 address and its
// IPv4-mapped IPv6 form (::ffff:a.b.c.d) are one address: every address is held as the 16 bytes of the latter.

/** `prefixBits` counts within the 16-byte form: an IPv4 /24 is 120. */
export interface Cidr {
  readonly address: Uint8Array;
  readonly prefixBits: number;
}

const MAPPED_PREFIX_BITS = 96;

function parseIpv4(text: string): Uint8Array | undefined {
  const octets = text.split('.');
  if (octets.length !== 4 || !octets.every((octet) => /^(?:0|[1-9]\d{0,2})$/.test(octet))) return undefined;
  const values = octets.map(Number);
  return values.every((value) => value <= 255) ? Uint8Array.from(values) : undefined;
}

function ipv6Groups(text: string): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const tail = index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (!tail) return undefined;
    groups.push((tail[0]! << 8) | tail[1]!, (tail[2]! << 8) | tail[3]!);
  }
  return groups;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = ipv6Groups(halves[0]!);
  const tail = halves.length === 2 ? ipv6Groups(halves[1]!) : [];
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** The 16 bytes of an IPv4 or IPv6 address, without brackets; a zone (`%eth0`) is ignored. `undefined` for anything else. */
export function parseAddress(text: string): Uint8Array | undefined {
  const ipv4 = parseIpv4(text);
  if (ipv4) return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...ipv4);
  return parseIpv6(text.replace(/%[A-Za-z0-9._-]+$/, ''));
}

/** `10.0.0.0/8`, `fd00::/8`, or an address alone. `undefined` for anything else, bits beyond the prefix included. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^([0-9a-fA-F:.]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text);
  const address = match ? parseAddress(match[1]!) : undefined;
  if (!match || !address) return undefined;
  const isIpv4 = !match[1]!.includes(':');
  const widest = isIpv4 ? 32 : 128;
  const bits = match[2] === undefined ? widest : Number(match[2]);
  if (bits > widest) return undefined;
  const prefixBits = isIpv4 ? MAPPED_PREFIX_BITS + bits : bits;
  const cidr = { address, prefixBits };
  return hasHostBits(cidr) ? undefined : cidr;
}

function hasHostBits({ address, prefixBits }: Cidr): boolean {
  return address.some((byte, index) => (byte & ~prefixMask(prefixBits, index) & 0xff) !== 0);
}

function prefixMask(prefixBits: number, byteIndex: number): number {
  const bits = Math.min(8, Math.max(0, prefixBits - 8 * byteIndex));
  return (0xff << (8 - bits)) & 0xff;
}

/** Whether the 16-byte `address` lies in the block. */
export function cidrContains({ address: block, prefixBits }: Cidr, address: Uint8Array): boolean {
  return block.every((byte, index) => ((byte ^ address[index]!) & prefixMask(prefixBits, index)) === 0);
}
