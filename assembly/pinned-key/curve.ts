// The curve that these files are compiled for. They are compiled twice: scripts/build-wasm.mjs puts the name of the other
// curve here.

export * from './p256';
