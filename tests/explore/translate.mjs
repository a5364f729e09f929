// Runs `translate` under node: {path, cases: [{source, options}]} in, what it found out.

import { readFileSync } from "node:fs";
import { Translator, translate } from "../../src/lookback/explore/translator.mjs";
import { safetensors } from "../../src/lookback/explore/weights.mjs";

const { path, cases } = JSON.parse(readFileSync(0, "utf8"));
const { buffer, byteOffset, byteLength } = readFileSync(path);
const { tensors, metadata } = safetensors(buffer.slice(byteOffset, byteOffset + byteLength));
const model = new Translator(tensors, JSON.parse(metadata.config));
const found = cases.map(({ source, options }) => translate(model, source, options));
const finite = (_, value) => {
  if (ArrayBuffer.isView(value)) return Array.from(value);
  return value === -Infinity ? -1e30 : value;
};
console.log(JSON.stringify(found, finite));
