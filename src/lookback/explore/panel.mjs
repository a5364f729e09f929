// A picture of pixels, and over it what is undecided and where the pen is.

import { element, svg } from "./toolkit.mjs";

/** Put the corner of a square over pixel t. */
export function move(node, t, width) {
  node.setAttribute("x", t % width);
  node.setAttribute("y", Math.floor(t / width));
}

/** box holds it, caption stands above it, over is an SVG whose unit is a pixel. */
export class Panel {
  /** margin: room on the right, in pixels of the picture. */
  constructor({ width, height }, hue, margin) {
    Object.assign(this, { width, height, hue });
    this.caption = element("p", { class: "caption" });
    this.canvas = element("canvas", { width, height, style: `width: ${(100 * width) / (width + margin)}%` });
    this.rest = svg("path", { class: "undecided" });
    this.pen = svg("rect", { class: "nib", width: 1, height: 1 });
    this.over = svg("svg", { viewBox: `0 0 ${width + margin} ${height}`, "aria-hidden": "true" }, this.rest, this.pen);
    this.box = element("div", { class: "sheet" }, this.canvas, this.over);
  }

  /** values 0 .. 1 of the first `shown` pixels, as shades of a colour such as "#1f2328". */
  paint(hex, values, shown, pen) {
    const rgb = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
    const data = new Uint8ClampedArray(4 * this.width * this.height);
    values.forEach((value, s) => data.set([...rgb, Math.round(255 * value)], 4 * s));
    this.canvas.getContext("2d").putImageData(new ImageData(data, this.width, this.height), 0, 0);
    const [row, column] = [Math.floor(shown / this.width), shown % this.width];
    this.rest.setAttribute("d", row >= this.height ? "" :
      `M${column} ${row}H${this.width}V${this.height}H0V${row + 1}H${column}Z`);
    move(this.pen, pen, this.width);
    this.pen.toggleAttribute("hidden", pen >= this.width * this.height);
  }
}
