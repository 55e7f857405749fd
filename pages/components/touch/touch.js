// Touch the image: what is drawn is seen at once; the server is asked on release, and during a stroke when it has
// answered the last time. Words only ever become textContent. changes.js holds what is done to pixels.

const ASK_EVERY = 100,
  ANSWER_LATEST = 3000,
  MOST_UNDO = 50;
const touched = new WeakMap();

const TOOLS = {
  paint: { title: "Paint", hint: "Drag to paint. By keyboard: arrow keys move, Space paints." },
  cover: {
    title: "Cover",
    hint: "Drag a rectangle; it gets the image's mean colour. By keyboard: arrow keys move, Space sets a corner, Space again covers.",
  },
  noise: { title: "Noise", hint: "Normal noise; its strength is the standard deviation in grey levels, 0 to 255." },
  rotate: { title: "Rotate", hint: "About the middle, clockwise; the corners get the image's mean colour." },
  blur: { title: "Blur", hint: "A Gaussian; its width is the standard deviation in pixels." },
  brightness: { title: "Brightness", hint: "In grey levels, 0 to 255." },
};

const decoded = (text) => Uint8ClampedArray.from(atob(text), (letter) => letter.charCodeAt(0));
function encoded(pixels) {
  let text = "";
  for (let at = 0; at < pixels.length; at += 8192) text += String.fromCharCode(...pixels.subarray(at, at + 8192));
  return btoa(text);
}
const same = (one, other) => one.length === other.length && one.every((value, place) => value === other[place]);

class Touch {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.stop = new AbortController();
    this.tool = "paint";
    this.values = { colour: "#d55e00", size: 4, noise: 0, seed: 0, rotate: 0, blur: 0, brightness: 0 };
    this.asked = 0;
    const on = (target, event, act) => target.addEventListener(event, act, { signal: this.stop.signal });
    const marks = this.find(".marks");
    on(marks, "pointerdown", (event) => this.press(event));
    on(marks, "pointermove", (event) => this.move(event));
    on(marks, "pointerup", () => this.release());
    on(marks, "pointercancel", () => this.release());
    on(marks, "pointerleave", () => {
      this.point(null);
    });
    on(marks, "keydown", (event) => this.key(event));
    on(marks, "blur", () => {
      this.cursor = undefined;
      this.mark();
    });
    on(root, "keydown", (event) => {
      if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      this.undo();
    });
    on(this.find(".undo"), "click", () => this.undo());
    on(this.find(".reset"), "click", () => this.reset());
    on(window, "cnnlab-point", ({ detail }) => this.pointed(detail));
    this.buildTools();
  }

  /** Take what the server sent: another image begins anew; the same one only answers what was asked. */
  take(data, send) {
    this.send = send;
    const before = this.data;
    this.data = data;
    if (data.answered === this.waiting) this.waiting = undefined;
    this.tell();
    if (before?.version === data.version) return;
    this.original = decoded(data.original);
    this.pixels = data.edited ? decoded(data.edited) : this.original;
    this.past = data.edited ? [this.original] : [];
    this.asked = data.answered;
    this.waiting = undefined;
    this.sent = this.pixels;
    this.mean = meanColour({ pixels: this.original });
    this.cursor = this.stroke = undefined;
    for (const canvas of this.root.querySelectorAll(".pixels")) Object.assign(canvas, { width: data.width, height: data.height });
    this.find(".marks").setAttribute("aria-label", `The network's input, ${data.width} by ${data.height} pixels`);
    this.values.size = Math.max(1, Math.round(Math.min(data.width, data.height) / 8));
    this.neutral();
    this.buildSettings();
    this.draw();
  }

  get picture() {
    return { pixels: this.pixels, width: this.data.width, height: this.data.height };
  }

  buildTools() {
    this.find(".tools").replaceChildren(
      ...Object.entries(TOOLS).map(([name, { title }]) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = title;
        button.addEventListener("click", () => {
          this.tool = name;
          this.stroke = undefined;
          this.neutral();
          this.buildSettings();
          this.mark();
        });
        button.dataset.tool = name;
        return button;
      }),
    );
  }

  buildSettings() {
    for (const button of this.find(".tools").children) button.setAttribute("aria-pressed", String(button.dataset.tool === this.tool));
    this.find(".hint").textContent = TOOLS[this.tool].hint;
    this.find(".marks").style.cursor = ["paint", "cover"].includes(this.tool) ? "crosshair" : "default";
    const side = Math.min(this.data.width, this.data.height);
    const rows = {
      paint: () => [this.colour(), this.slider("Brush", "size", 1, Math.max(2, Math.round(side / 2)), 1, "px")],
      cover: () => [],
      noise: () => [this.slider("Strength", "noise", 0, 128, 1, "", true), this.seed()],
      rotate: () => [this.slider("Angle", "rotate", -180, 180, 1, "°", true)],
      blur: () => [this.slider("Width", "blur", 0, Math.min(6, Math.max(2, side / 16)), 0.1, "px", true)],
      brightness: () => [this.slider("Lighter", "brightness", -128, 128, 1, "", true)],
    }[this.tool]();
    this.find(".settings").replaceChildren(...rows);
  }

  row(words, input, output) {
    const label = document.createElement("label"),
      name = document.createElement("span");
    name.textContent = words;
    label.append(name, input, output ?? document.createElement("span"));
    return label;
  }

  input(type, name, act) {
    const input = document.createElement("input");
    input.type = type;
    input.name = name;
    input.addEventListener("input", act);
    return input;
  }

  colour() {
    const input = this.input("color", "colour", () => {
      this.values.colour = input.value;
    });
    input.value = this.values.colour;
    return this.row("Colour", input);
  }

  seed() {
    const input = this.input("number", "seed", () => {
      this.values.seed = Math.trunc(Number(input.value)) || 0;
      this.preview();
    });
    Object.assign(input, { min: "0", max: "999999", value: String(this.values.seed) });
    input.addEventListener("change", () => this.settle());
    return this.row("Seed", input);
  }

  /** A slider; one that `acts` changes the picture as it was when the tool was taken up. */
  slider(words, name, min, max, step, unit, acts = false) {
    const output = document.createElement("output");
    const input = this.input("range", name, () => {
      this.values[name] = Number(input.value);
      output.textContent = `${input.value}${unit && unit !== "°" ? " " : ""}${unit}`;
      if (acts) this.preview();
    });
    Object.assign(input, { min, max, step });
    input.value = String(this.values[name]);
    output.textContent = `${input.value}${unit && unit !== "°" ? " " : ""}${unit}`;
    if (acts) input.addEventListener("change", () => this.settle());
    return this.row(words, input, output);
  }

  /** The sliders that change the whole picture begin again, from the picture as it is. */
  neutral() {
    Object.assign(this.values, { noise: 0, rotate: 0, blur: 0, brightness: 0 });
    this.base = undefined;
  }

  preview() {
    this.base ??= this.pixels;
    const base = { ...this.picture, pixels: this.base },
      value = this.values[this.tool];
    const change = {
      noise: () => noisy(base, value, this.values.seed),
      rotate: () => rotated(base, value, this.mean),
      blur: () => blurred(base, value),
      brightness: () => brightened(base, value),
    }[this.tool];
    this.begun ??= this.pixels;
    this.pixels = value === 0 ? this.base : change();
    this.draw();
    this.ask();
  }

  /** A change is complete: it can be undone, and the server is asked. */
  settle() {
    const before = this.begun;
    this.begun = undefined;
    if (before === undefined || same(before, this.pixels)) return;
    this.past.push(before);
    if (this.past.length > MOST_UNDO) this.past.splice(1, 1);
    this.draw();
    this.ask(true);
  }

  undo() {
    if (!this.past.length) return;
    this.begun = this.stroke = undefined;
    this.pixels = this.past.pop();
    this.neutral();
    this.buildSettings();
    this.draw();
    this.ask(true);
  }

  reset() {
    this.begun = this.pixels;
    this.stroke = undefined;
    this.pixels = this.original;
    this.neutral();
    this.buildSettings();
    this.settle();
  }

  /** Send the picture: at once where `final`, else when the last answer is there and a moment has passed. */
  ask(final = false) {
    clearTimeout(this.later);
    const now = performance.now(),
      since = now - (this.sentAt ?? -ANSWER_LATEST);
    const busy = this.waiting !== undefined && since < ANSWER_LATEST;
    if ((!final && since < ASK_EVERY) || busy) {
      this.later = setTimeout(() => this.ask(final), busy ? 10 : ASK_EVERY - since);
      return;
    }
    if (this.sent && same(this.sent, this.pixels)) {
      this.tell();
      return;
    }
    this.sent = this.pixels;
    this.sentAt = now;
    this.asked += 1;
    this.waiting = this.asked;
    const pixels = same(this.pixels, this.original) ? "" : encoded(this.pixels);
    this.tell();
    this.send({ version: this.data.version, number: this.asked, pixels });
  }

  /** Whether what the server says is still of another picture. */
  tell() {
    const open = this.waiting !== undefined || (this.sent && !same(this.sent, this.pixels));
    this.root.setAttribute("aria-busy", String(Boolean(open)));
  }

  draw() {
    this.tell();
    const { width, height } = this.data,
      context = this.find(".pixels").getContext("2d", { willReadFrequently: true }),
      image = context.createImageData(width, height);
    for (let at = 0, to = 0; at < this.pixels.length; at += 3, to += 4) {
      image.data[to] = this.pixels[at];
      image.data[to + 1] = this.pixels[at + 1];
      image.data[to + 2] = this.pixels[at + 2];
      image.data[to + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    this.find(".undo").disabled = !this.past.length;
    this.find(".reset").disabled = same(this.pixels, this.original);
    const changes = this.past.length;
    this.find(".told").textContent = changes ? `${changes} ${changes === 1 ? "change" : "changes"}. Ctrl+Z takes the last one back.` : "";
    this.mark();
  }

  /** The cursor, the rectangle under way, and the pixel that is pointed at elsewhere. */
  mark() {
    if (!this.data) return;
    const canvas = this.find(".marks"),
      ratio = window.devicePixelRatio || 1,
      side = Math.round(canvas.clientWidth * ratio);
    canvas.width = side;
    canvas.height = side;
    const { width, height } = this.data,
      scale = side / Math.max(width, height),
      context = canvas.getContext("2d");
    const left = (side - width * scale) / 2,
      top = (side - height * scale) / 2;
    const frame = (box, colour) => {
      for (const [line, ink] of [
        [3, "#ffffff"],
        [1.5, colour],
      ]) {
        context.lineWidth = line * ratio;
        context.strokeStyle = ink;
        context.strokeRect(
          left + box.left * scale,
          top + box.top * scale,
          (box.right - box.left + 1) * scale,
          (box.bottom - box.top + 1) * scale,
        );
      }
    };
    if (this.tool === "cover" && this.stroke) frame(this.rectangle(), "#000000");
    if (this.cursor) {
      const { x, y } = this.cursor;
      frame({ left: Math.floor(x), right: Math.floor(x), top: Math.floor(y), bottom: Math.floor(y) }, "#d55e00");
    }
    if (this.shown) frame({ left: this.shown.column, right: this.shown.column, top: this.shown.row, bottom: this.shown.row }, "#cc79a7");
  }

  /** Where on the picture, in pixels of it. */
  place(event) {
    const box = this.find(".marks").getBoundingClientRect(),
      { width, height } = this.data,
      scale = box.width / Math.max(width, height);
    const x = (event.clientX - box.left - (box.width - width * scale) / 2) / scale;
    const y = (event.clientY - box.top - (box.height - height * scale) / 2) / scale;
    return { x: clamp(x, 0, width - 0.001), y: clamp(y, 0, height - 0.001) };
  }

  rectangle() {
    const { from, to } = this.stroke;
    return {
      left: Math.floor(Math.min(from.x, to.x)),
      right: Math.floor(Math.max(from.x, to.x)),
      top: Math.floor(Math.min(from.y, to.y)),
      bottom: Math.floor(Math.max(from.y, to.y)),
    };
  }

  press(event) {
    if (event.button !== 0 || !["paint", "cover"].includes(this.tool)) return;
    event.preventDefault();
    this.find(".marks").focus({ preventScroll: true });
    this.find(".marks").setPointerCapture(event.pointerId);
    this.cursor = undefined;
    this.begin(this.place(event));
  }

  move(event) {
    const at = this.place(event);
    if (!this.stroke) return this.point(at);
    return this.drag(at);
  }

  release() {
    if (!this.stroke) return;
    if (this.tool === "cover") this.pixels = covered(this.picture, this.rectangle(), this.mean);
    this.stroke = undefined;
    this.settle();
    this.draw();
  }

  begin(at) {
    this.begun = this.pixels;
    this.stroke = { from: at, to: at };
    this.drag(at);
  }

  drag(at) {
    const from = this.stroke.to;
    this.stroke.to = at;
    if (this.tool === "cover") return this.mark();
    const colour = [1, 3, 5].map((place) => parseInt(this.values.colour.slice(place, place + 2), 16));
    this.pixels = painted(this.picture, from, at, this.values.size, colour);
    this.draw();
    return this.ask();
  }

  key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!["paint", "cover"].includes(this.tool) || event.ctrlKey || event.metaKey || event.altKey) return;
    const { width, height } = this.data;
    this.cursor ??= { x: Math.floor(width / 2) + 0.5, y: Math.floor(height / 2) + 0.5 };
    if (step) {
      const far = event.shiftKey ? Math.max(2, Math.round(width / 8)) : 1;
      this.cursor = {
        x: clamp(this.cursor.x + far * step[0], 0.5, width - 0.5),
        y: clamp(this.cursor.y + far * step[1], 0.5, height - 0.5),
      };
      if (this.stroke) this.drag(this.cursor);
      this.point(this.cursor);
    } else if (event.key === " " || event.key === "Enter") {
      if (this.tool === "cover" && this.stroke) this.release();
      else {
        this.begin(this.cursor);
        if (this.tool === "paint") this.release();
      }
    } else if (event.key === "Escape" && this.stroke) {
      this.stroke = this.begun = undefined;
    } else return;
    event.preventDefault();
    event.stopPropagation();
    this.mark();
  }

  /** Tell the other parts which pixel is pointed at, null when one leaves. */
  point(at) {
    const detail = at
      ? { side: this.data.side, layer: this.data.layer, channel: 0, row: Math.floor(at.y), column: Math.floor(at.x) }
      : { side: this.data.side, layer: null };
    this.own = detail;
    window.dispatchEvent(new CustomEvent("cnnlab-point", { detail }));
  }

  pointed(detail) {
    if (!this.data || detail === this.own || detail.side !== this.data.side) return;
    const shown = detail.layer === this.data.layer && detail.row !== undefined ? detail : undefined;
    if (shown === this.shown) return;
    this.shown = shown;
    this.mark();
  }

  end() {
    clearTimeout(this.later);
    this.stop.abort();
  }
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".touch");
  let touch = touched.get(root);
  if (!touch) {
    touch = new Touch(root);
    touched.set(root, touch);
  }
  touch.take(data, (edited) => setTriggerValue("edited", edited));
  return () => {
    if (root.isConnected) return; // only called anew, with newer data
    touch.end();
    touched.delete(root);
  };
}
