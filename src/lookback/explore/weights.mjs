// Weights that are too big for a notebook: asked for by name, read from safetensors.

/** The weight file `name` (one of the class's `assets`), as an ArrayBuffer.
 *
 * In Jupyter and Colab the kernel answers, in the built book the page's host does: both
 * by a custom message with the bytes. */
export function asset(model, name) {
  return new Promise((resolve, reject) => {
    function heard(content, buffers) {
      if (content.asset !== name) return;
      model.off("msg:custom", heard);
      if (content.error) reject(new Error(content.error));
      else resolve(bytes(buffers[0]));
    }
    model.on("msg:custom", heard);
    model.send({ asset: name });
  });
}

// A buffer may be a view into a larger one, or be one itself.
function bytes(given) {
  if (given instanceof ArrayBuffer) return given;
  return given.buffer.slice(given.byteOffset, given.byteOffset + given.byteLength);
}

/** The tensors of a safetensors file: { tensors: { name: { shape, data } }, metadata }.
 *
 * data is a Float32Array in row-major order for F16, BF16 and F32; an Int8Array for I8, a
 * Uint8Array for U8 and BOOL, an Int32Array for I32; I64 comes as numbers.
 *
 * Format: 8 bytes with the header's length (little endian), a header in JSON, the data.
 * https://github.com/huggingface/safetensors */
export function safetensors(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const { __metadata__: metadata = {}, ...entries } = header;
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets: [from, to] }] of Object.entries(entries)) {
    if (!(dtype in READERS)) throw new TypeError(`${name} has the type ${dtype}; expected one of ${Object.keys(READERS)}`);
    tensors[name] = { shape, data: READERS[dtype](buffer.slice(8 + length + from, 8 + length + to)) };
  }
  return { tensors, metadata };
}

const READERS = {
  F32: (part) => new Float32Array(part),
  F16: (part) => Float32Array.from(new Uint16Array(part), half),
  BF16: (part) => new Float32Array(Uint32Array.from(new Uint16Array(part), (bits) => bits << 16).buffer),
  I64: (part) => Float64Array.from(new BigInt64Array(part), Number),
  I32: (part) => new Int32Array(part),
  I8: (part) => new Int8Array(part),
  U8: (part) => new Uint8Array(part),
  BOOL: (part) => new Uint8Array(part),
};

/** A half-precision number from its 16 bits. */
export function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
