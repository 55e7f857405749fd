// The window of a layer slides over its input; every number is TensorFlow's or computed from TensorFlow's in float64.

const NAN = [255, 79, 163],
  SIDE = 210,
  CELL = 36,
  LEAST_CELL = 25,
  GAP = 26,
  HEAD = 20,
  MIXED = 10;
const SPEEDS = [1, 3, 8, 20, 60, 180, 600];
const REST_MS = 400;

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".kernel");
  root.slider ??= new Slider(root);
  return root.slider.take(unpack(data), setStateValue, setTriggerValue);
}

/** What the server sent: a header, the kernel, the bias, the input unless it is here, the output of one channel. */
function unpack(sent) {
  const { head, numbers } = opened(sent);
  const size = ([height, width, channels = 1]) => height * width * channels;
  const weights = numbers(head.kind === "convolution" ? head.kernel ** 2 * head.input[2] : 0);
  const bias = head.biased ? numbers(1)[0] : undefined;
  const values = head.sent ? numbers(size(head.input)) : undefined;
  return { ...head, weights, bias, values, results: numbers(size(head.output)) };
}

class Slider {
  constructor(root) {
    this.root = root;
    this.part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((one) => [one.dataset.part, one]));
    this.playing = false;
  }

  /** Take what came; where the same is shown the place and the motion stay. */
  take(data, keep, trigger) {
    this.leave?.();
    Object.assign(this, { keep, trigger });
    const before = this.data;
    if (data.values) this.held = { name: data.name, values: data.values };
    else if (this.held?.name !== data.name) {
      keep("held", "");
      return () => {};
    }
    if (data.large) keep("held", data.name);
    const name = `${data.name} ${data.channel}`,
      same = name === this.name;
    this.data = data;
    this.values = this.held.values;
    if (!same) {
      Object.assign(this, { name, shown: undefined, tiles: new Map(), output: undefined, order: undefined });
      if (before?.layer !== data.layer) this.playing = false;
    }
    const given = `${name} ${data.at}`;
    if (given !== this.given && !this.playing) this.at = [...data.at];
    this.given = given;
    this.colours ??= palette(data.colours);
    this.prepare();
    this.listen();
    this.draw();
    this.settle();
    return this.leave;
  }

  /** What stays as it is while the window slides. */
  prepare() {
    const { data, part } = this,
      [, , channels] = data.input;
    this.mixture = data.kind === "convolution" && data.kernel === 1;
    part.title.textContent = data.title;
    part.choice.hidden = channels < 2;
    part.curveFigure.hidden = data.activation === "linear" || data.activation === "softmax";
    part.sumsFigure.hidden = channels < 2 || this.mixture;
    this.root.classList.toggle("mixed", this.mixture);
    this.ends = ends(data.results);
    this.output ??= pixels(data.output[1], data.output[0], (place) => data.results[place], ...this.ends, this.colours);
    if (this.mixture && !this.order) {
      const weight = (channel) => Math.abs(data.weights[channel]);
      this.order = [...Array(channels).keys()].sort((one, other) => weight(other) - weight(one)).slice(0, MIXED);
    }
  }

  // Numbers

  input(row, column, channel) {
    const [height, width, channels] = this.data.input;
    const inside = row >= 0 && column >= 0 && row < height && column < width;
    return inside ? this.values[(row * width + column) * channels + channel] : undefined;
  }

  corner() {
    const { stride, border } = this.data;
    return this.at.map((place, axis) => place * stride - border[axis]);
  }

  /** What the window covers of a channel; undefined in the padding. */
  window(channel) {
    const { kernel } = this.data,
      [top, left] = this.corner();
    return Array.from({ length: kernel ** 2 }, (_, place) =>
      this.input(top + Math.floor(place / kernel), left + (place % kernel), channel),
    );
  }

  weight(place, channel) {
    return this.data.weights[place * this.data.input[2] + channel];
  }

  /** The sum of products of each channel read. */
  sums() {
    const {
        kernel,
        input: [, , channels],
      } = this.data,
      [top, left] = this.corner(),
      found = new Float64Array(channels);
    for (let place = 0; place < kernel ** 2; place += 1) {
      const row = top + Math.floor(place / kernel),
        column = left + (place % kernel);
      if (this.input(row, column, 0) === undefined) continue;
      for (let channel = 0; channel < channels; channel += 1)
        found[channel] += this.input(row, column, channel) * this.weight(place, channel);
    }
    return found;
  }

  stored() {
    return this.data.results[this.at[0] * this.data.output[1] + this.at[1]];
  }

  /** All numbers at the place where the window is. */
  numbers() {
    const { data } = this,
      stored = this.stored();
    if (data.kind !== "convolution") {
      const values = this.window(0),
        real = values.filter((one) => one !== undefined);
      const total = real.reduce((sum, one) => sum + one, 0);
      const computed =
        data.kind === "max" ? real.reduce((one, other) => (other > one || Number.isNaN(other) ? other : one)) : total / real.length;
      return { values, real, total, computed, stored, winner: values.indexOf(computed) };
    }
    const sums = this.sums(),
      total = sums.reduce((sum, one) => sum + one, 0);
    let most = 0;
    sums.forEach((one, channel) => {
      if (Math.abs(one) > Math.abs(sums[most])) most = channel;
    });
    const channel = this.shown ?? most,
      score = total + (data.bias ?? 0);
    return { sums, total, most, channel, score, computed: activated(score, data.activation), stored, values: this.window(channel) };
  }

  // Moving

  go(row, column) {
    const [rows, columns] = this.data.output,
      within = (at, most) => Math.min(Math.max(at, 0), most - 1);
    this.at = [within(row, rows), within(column, columns)];
    this.draw();
    this.point();
  }

  step(by) {
    const [rows, columns] = this.data.output,
      count = rows * columns;
    const place = (this.at[0] * columns + this.at[1] + by + count) % count;
    this.go(Math.floor(place / columns), place % columns);
  }

  play(wanted = !this.playing) {
    this.playing = wanted;
    this.part.play.textContent = wanted ? "Pause" : "Play";
    if (!wanted) return this.settle();
    let due = 0,
      last = performance.now();
    const frame = (now) => {
      if (!this.playing || !this.root.isConnected) return;
      due += ((now - last) / 1000) * SPEEDS[Number(this.part.speed.value)];
      last = now;
      this.frames = [...(this.frames ?? []).slice(-240), now];
      if (due >= 1) {
        this.step(Math.floor(due));
        due %= 1;
      }
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  /** Once the window rests, its place goes into the address and its numbers into the table. */
  settle() {
    this.table();
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      const [row, column] = this.at;
      if (!this.playing && this.root.isConnected && `${this.at}` !== `${this.data.at}`) this.trigger("placed", { at: [row, column] });
    }, REST_MS);
  }

  point() {
    const { side, layer, channel } = this.data,
      [row, column] = this.at;
    window.dispatchEvent(new CustomEvent("cnnlab-point", { detail: { side, layer, channel, row, column, from: this.root } }));
  }

  another(by) {
    const { data } = this,
      channels = data.input[2],
      now = this.numbers().channel;
    this.shown = by === 0 ? undefined : (now + by + channels) % channels;
    this.draw();
    this.settle();
  }

  // Mouse and keyboard

  listen() {
    const stop = new AbortController(),
      on = { signal: stop.signal };
    const deeds = {
      play: () => this.play(),
      back: () => {
        this.play(false);
        this.step(-1);
        this.settle();
      },
      next: () => {
        this.play(false);
        this.step(1);
        this.settle();
      },
      channelBack: () => this.another(-1),
      channelNext: () => this.another(1),
      most: () => this.another(0),
    };
    this.root.addEventListener("click", (event) => deeds[event.target.closest("[data-do]")?.dataset.do]?.(), on);
    const ways = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const keys = { "+": deeds.channelNext, "=": deeds.channelNext, "-": deeds.channelBack };
    this.root.addEventListener(
      "keydown",
      (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, summary")) return;
        const way = ways[event.key],
          deed = event.key === " " && !event.target.matches("button") ? deeds.play : keys[event.key];
        if (!way && !deed) return;
        event.preventDefault();
        event.stopPropagation();
        if (!way) return deed();
        this.play(false);
        this.go(this.at[0] + way[0], this.at[1] + way[1]);
        this.settle();
      },
      on,
    );
    for (const [name, target] of [
      ["input", (row, column) => this.overInput(row, column)],
      ["output", (row, column) => [row, column]],
    ]) {
      const canvas = this.part[name];
      const follow = (event) => {
        const box = canvas.getBoundingClientRect(),
          { area } = this[`${name}Area`] ?? {};
        if (!area) return;
        const column = (event.clientX - box.left - area.x) / area.scale,
          row = (event.clientY - box.top - area.y) / area.scale;
        this.go(...target(Math.floor(row), Math.floor(column)));
      };
      canvas.addEventListener(
        "pointerdown",
        (event) => {
          this.play(false);
          canvas.setPointerCapture(event.pointerId);
          follow(event);
        },
        on,
      );
      canvas.addEventListener(
        "pointermove",
        (event) => {
          if (event.buttons) follow(event);
        },
        on,
      );
      canvas.addEventListener("pointerup", () => this.settle(), on);
    }
    window.addEventListener(
      "cnnlab-point",
      ({ detail }) => {
        if (detail.from === this.root || this.playing || detail.side !== this.data.side || detail.layer !== this.data.layer) return;
        if (!Number.isInteger(detail.row)) return;
        this.go(detail.row, detail.column);
        this.table();
      },
      on,
    );
    const sized = new ResizeObserver(() => this.draw());
    sized.observe(this.root);
    this.leave = () => {
      stop.abort();
      sized.disconnect();
      clearTimeout(this.rest);
    };
  }

  /** The value whose window's middle lies over a place of the input. */
  overInput(row, column) {
    const { kernel, stride, border } = this.data,
      half = Math.floor(kernel / 2);
    return [Math.round((row - half + border[0]) / stride), Math.round((column - half + border[1]) / stride)];
  }

  draw() {
    if (this.data && this.values) drawAll(this);
  }

  /** The same numbers as a table, for those who do not see the drawing. */
  table() {
    const { data, part } = this,
      now = this.numbers(),
      size = data.kernel;
    const tables = [["Input", now.values.map((one) => (one === undefined ? "0 (padding)" : digits(one)))]];
    if (data.kind === "convolution") {
      const weights = now.values.map((_, place) => this.weight(place, now.channel));
      tables.push(["Kernel", weights.map(digits)], ["Products", now.values.map((one, place) => digits((one ?? 0) * weights[place]))]);
    }
    part.numbers.replaceChildren(...tables.map(([title, texts]) => grid(title, texts, size)));
    Object.assign(this.root.dataset, {
      at: this.at.join(","),
      computed: now.computed,
      stored: now.stored,
      shown: now.channel ?? data.first,
      settled: "yes",
    });
  }
}

function grid(title, texts, size) {
  const table = made("table"),
    caption = table.createCaption();
  caption.textContent = title;
  for (let row = 0; row < size; row += 1) {
    const line = table.insertRow();
    for (const text of texts.slice(row * size, (row + 1) * size)) line.insertCell().textContent = text;
  }
  return table;
}

function activated(score, activation) {
  if (activation === "relu") return Number.isNaN(score) ? score : Math.max(score, 0);
  if (activation === "relu6") return Number.isNaN(score) ? score : Math.min(Math.max(score, 0), 6);
  if (activation === "tanh") return Math.tanh(score);
  return activation === "elu" && score < 0 ? Math.expm1(score) : score;
}

function ends(values) {
  let low = Infinity,
    high = -Infinity;
  for (const one of values) {
    if (one < low && Number.isFinite(one)) low = one;
    if (one > high && Number.isFinite(one)) high = one;
  }
  return low > high ? [0, 0] : [low, high];
}
