// ECParameters that spell a curve out in place of its name, as OpenSSL 3 writes them. They are compared byte by byte with
// the one curve that is meant: a generator or order of somebody's choice makes keys that belong to anybody.
// Sources: SEC 1 §C.2 (SpecifiedECDomain); SEC 2 §2.4.2 (secp256r1).

const P = 'ffffffff00000001000000000000000000000000ffffffffffffffffffffffff';
const A = 'ffffffff00000001000000000000000000000000fffffffffffffffffffffffc';
const B = '5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b';
const SEED = 'c49d360886e704936a6678e1139d26b7819f7e90';
const GX = '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296';
const GY = '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5';
const N = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';

/** DER in hex: tag, length of at most 255 bytes, contents. */
function der(tag: string, ...contents: string[]): string {
  const content = contents.join('');
  const length = (content.length / 2).toString(16).padStart(2, '0');
  return `${tag}${content.length / 2 < 128 ? length : `81${length}`}${content}`;
}

const sequence = (...contents: string[]) => der('30', ...contents);
const integer = (hex: string) => der('02', hex.startsWith('f') ? `00${hex}` : hex);
const octets = (hex: string) => der('04', hex);
const bits = (hex: string) => der('03', '00', hex);

const PRIME_FIELD = '06072a8648ce3d0101';

const specified = (curve: string) =>
  sequence(
    integer('01'),
    sequence(PRIME_FIELD, integer(P)),
    curve,
    octets(`04${GX}${GY}`),
    integer(N),
    integer('01'),
  );

/** P-256 with the seed of its coefficients, and without. */
export const explicitP256: readonly string[] = [
  specified(sequence(octets(A), octets(B), bits(SEED))),
  specified(sequence(octets(A), octets(B))),
];
