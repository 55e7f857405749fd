// The film of a training: all of it is here, so playing asks the server for nothing. Words only ever become textContent.

const GAP = 2;
const SHORTEST = 120,
  LONGEST = 500,
  WHOLE = 8000,
  CALM = 1000;
const kept = new WeakMap();

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const percent = (share) => (share === null || share === undefined ? "–" : `${(100 * share).toFixed(1)}%`);
const number = (value) => String(Number(value.toPrecision(3)));

/** The colours of a scale for 0 to 255, from its stops as #RRGGBB. */
function table(stops) {
  const parts = stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  return Array.from({ length: 256 }, (_, value) => {
    const at = (value / 255) * (parts.length - 1),
      left = Math.min(Math.floor(at), parts.length - 2);
    return parts[left].map((part, channel) => part + (parts[left + 1][channel] - part) * (at - left));
  });
}

/** A canvas of one pixel a value; `colour` gives red, green and blue of the value at a place. */
function pixels(width, height, colour) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d"),
    image = context.createImageData(width, height);
  for (let place = 0; place < width * height; place += 1) {
    image.data.set([...colour(place), 255], 4 * place);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** A canvas as sharp as the screen, empty, and its size in CSS pixels. */
function cleared(canvas) {
  const ratio = window.devicePixelRatio || 1,
    width = canvas.clientWidth,
    height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.imageSmoothingEnabled = false;
  return { context, width, height };
}

class Film {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.stop = new AbortController();
    this.calm = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.playing = false;
    this.at = -1;
    const on = (element, event, act) => element.addEventListener(event, act, { signal: this.stop.signal });
    on(this.find(".play"), "click", () => this.toggle());
    on(this.find(".place"), "input", (event) => {
      this.pause();
      this.show(Number(event.target.value));
    });
    on(root, "keydown", (event) => this.key(event));
    on(root, "transitionend", (event) => {
      if (event.target === root) this.draw();
    });
    on(this.find(".curve canvas"), "click", (event) => this.seek(event));
    on(this.find(".confusion canvas"), "pointermove", (event) => this.point(event));
    on(this.find(".confusion canvas"), "pointerleave", () => this.sayConfusion());
    this.sized = new ResizeObserver(() => this.draw());
    this.sized.observe(root);
  }

  /** Take what the server sent; the place stays, and at the end it follows what is new. */
  take(data, choose) {
    this.choose = choose;
    if (this.data?.version === data.version) return;
    const epoch = this.data?.epochs[this.at],
      atEnd = !this.data || this.at === this.data.epochs.length - 1;
    this.data = data;
    this.filters = bytes(data.filters.bytes);
    this.confusion = bytes(data.confusion.bytes);
    this.maps = data.layers.map((layer) => bytes(layer.bytes));
    this.colours = table(data.scale);
    this.find(".place").max = String(data.epochs.length - 1);
    this.buildImages();
    this.buildBars();
    this.buildLayers();
    const before = data.epochs.indexOf(epoch);
    const nearest =
      before >= 0
        ? before
        : Math.max(
            data.epochs.findLastIndex((one) => one <= epoch),
            0,
          );
    this.show(atEnd && !this.playing ? data.epochs.length - 1 : nearest);
  }

  buildImages() {
    const { images, chosen } = this.data,
      all = bytes(images.bytes),
      size = images.width * images.height * 3;
    this.find(".images").replaceChildren(
      ...images.names.map((name, place) => {
        const button = document.createElement("button");
        button.type = "button";
        button.setAttribute("aria-pressed", String(place === chosen));
        button.setAttribute("aria-label", `Image ${place + 1}: ${name}`);
        button.title = name;
        button.append(
          pixels(images.width, images.height, (at) => {
            const first = place * size + 3 * at;
            return all.subarray(first, first + 3);
          }),
        );
        button.addEventListener("click", () => {
          for (const one of this.find(".images").children) one.setAttribute("aria-pressed", String(one === button));
          this.choose(place);
        });
        return button;
      }),
    );
    this.find(".answer figcaption").textContent = images.own[chosen]
      ? "Probabilities of the chosen image, your own"
      : `Probabilities of the chosen validation image, whose class is ${images.names[chosen]}`;
  }

  buildBars() {
    this.fills = [];
    const parts = this.data.followed.flatMap((one) => {
      const [name, track, fill, share] = ["name", "track", "fill", "share"].map((kind) => {
        const part = document.createElement("div");
        part.className = kind;
        return part;
      });
      name.textContent = one.name;
      name.title = one.name;
      name.classList.toggle("own", one.own);
      track.append(fill);
      this.fills.push({ fill, share });
      return [name, track, share];
    });
    this.find(".bars").replaceChildren(...parts);
  }

  buildLayers() {
    this.find(".maps figcaption").textContent = "Activation maps of the chosen image, the first channels of each layer, dark to bright";
    this.rows = this.data.layers.map((layer) => {
      const row = document.createElement("div"),
        words = document.createElement("div");
      const canvas = document.createElement("canvas");
      words.className = "words";
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `Activation maps of ${layer.name}`);
      row.append(words, canvas);
      return { row, words, canvas };
    });
    this.find(".layers").replaceChildren(...this.rows.map((one) => one.row));
  }

  // Moving

  toggle() {
    this.playing ? this.pause() : this.play();
  }

  play() {
    const { length } = this.data.epochs;
    if (length < 2) return;
    if (this.at === length - 1) this.show(0);
    this.playing = true;
    this.find(".play").textContent = "Pause";
    this.since = undefined;
    this.frame = requestAnimationFrame((now) => this.tick(now));
  }

  pause() {
    this.playing = false;
    cancelAnimationFrame(this.frame);
    this.find(".play").textContent = "Play";
  }

  tick(now) {
    if (!this.playing) return;
    this.since ??= now;
    const span = this.calm.matches ? CALM : Math.min(Math.max(WHOLE / this.data.epochs.length, SHORTEST), LONGEST);
    if (now - this.since >= span) {
      this.since = now;
      this.show(this.at + 1);
      if (this.at === this.data.epochs.length - 1) {
        this.pause();
        return;
      }
    }
    this.frame = requestAnimationFrame((later) => this.tick(later));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.data) return;
    const last = this.data.epochs.length - 1;
    const places = { ArrowLeft: this.at - 1, ArrowRight: this.at + 1, Home: 0, End: last };
    if (event.key === " " && event.target.tagName !== "BUTTON") this.toggle();
    else if (event.key in places) {
      this.pause();
      this.show(places[event.key]);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  seek(event) {
    const box = event.currentTarget.getBoundingClientRect(),
      { epochs } = this.data;
    const wanted = ((event.clientX - box.left - this.plot.left) / this.plot.width) * this.plot.last;
    const nearest = epochs.reduce((best, epoch, place) => (Math.abs(epoch - wanted) < Math.abs(epochs[best] - wanted) ? place : best), 0);
    this.pause();
    this.show(nearest);
  }

  // Drawing

  show(place) {
    this.at = Math.min(Math.max(place, 0), this.data.epochs.length - 1);
    const epoch = this.data.epochs[this.at],
      words = epoch ? `After epoch ${epoch}` : "Before the first epoch";
    const slider = this.find(".place");
    slider.value = String(this.at);
    slider.setAttribute("aria-valuetext", words);
    this.find(".now").textContent = epoch ? `${words} of ${this.data.last}` : words;
    this.root.dataset.epoch = String(epoch);
    this.draw();
  }

  draw() {
    if (!this.data || !this.root.clientWidth) return;
    const style = getComputedStyle(this.root);
    this.ink = style.color;
    this.accent = style.getPropertyValue("--st-primary-color").trim() || this.ink;
    const page = style.getPropertyValue("--st-background-color").trim() || "#FFFFFF";
    const light = [1, 3, 5].reduce((sum, at) => sum + parseInt(page.slice(at, at + 2), 16), 0) > 382;
    this.cells = table(light ? this.data.confusion.light : this.data.confusion.dark);
    this.cells[0] = light ? [238, 241, 244] : [30, 39, 49];
    this.drawBars();
    this.drawFilters();
    this.drawMaps();
    this.drawConfusion();
    this.drawCurve();
  }

  drawBars() {
    this.fills.forEach(({ fill, share }, place) => {
      const value = this.data.followed[place].shares[this.at];
      fill.style.width = `${100 * (value ?? 0)}%`;
      share.textContent = percent(value);
    });
  }

  /** Squares in rows, each painted from its own small canvas, as large as they fit. */
  tiles(canvas, images, columns) {
    const { context, width, height } = cleared(canvas);
    if (!images.length) return;
    const rows = Math.ceil(images.length / columns);
    const side = Math.max(Math.floor(Math.min(width / columns, height / rows)), 1);
    images.forEach((image, place) => {
      const shrink = (side - GAP) / Math.max(image.width, image.height);
      const left = (place % columns) * side,
        top = Math.floor(place / columns) * side;
      context.drawImage(image, left, top, image.width * shrink, image.height * shrink);
    });
  }

  drawFilters() {
    const { count, height, width } = this.data.filters,
      size = height * width * 3;
    const canvas = this.find(".filters canvas");
    this.find(".filters figcaption").textContent = count
      ? `The first convolution's ${count} filters; grey is 0, each on its own scale`
      : "The first convolution's filters cannot be shown as colours";
    const images = Array.from({ length: count }, (_, place) =>
      pixels(width, height, (at) => {
        const first = (this.at * count + place) * size + 3 * at;
        return this.filters.subarray(first, first + 3);
      }),
    );
    const shape = canvas.clientWidth / Math.max(canvas.clientHeight, 1);
    this.tiles(canvas, images, Math.max(Math.ceil(Math.sqrt(count * shape)), 1));
    canvas.setAttribute("aria-label", `First filters, ${this.find(".now").textContent}`);
  }

  drawMaps() {
    this.data.layers.forEach((layer, row) => {
      const { words, canvas } = this.rows[row],
        size = layer.height * layer.width;
      const [low, high] = layer.ranges[this.at];
      words.textContent = `${layer.name}: ${layer.shown} of ${layer.channels} channels, ${number(low)} to ${number(high)}`;
      canvas.style.height = `${Math.min(Math.floor(canvas.clientWidth / layer.shown), 60)}px`;
      const images = Array.from({ length: layer.shown }, (_, channel) =>
        pixels(layer.width, layer.height, (at) => this.colours[this.maps[row][(this.at * layer.shown + channel) * size + at]]),
      );
      this.tiles(canvas, images, layer.shown);
    });
  }

  drawConfusion() {
    const { side, judged } = this.data.confusion,
      canvas = this.find(".confusion canvas");
    const { context, width, height } = cleared(canvas),
      edge = Math.min(width - 20, height);
    this.square = edge;
    this.sayConfusion();
    if (!judged[this.at]) return;
    const first = this.at * side * side;
    const image = pixels(side, side, (at) => this.cells[this.confusion[first + at]]);
    context.drawImage(image, 0, 0, edge, edge);
  }

  sayConfusion() {
    const { side, classes, judged } = this.data.confusion,
      block = Math.ceil(classes / side);
    const words = judged[this.at]
      ? `Confusion, true class by row: faint 0%, strong 100%${block > 1 ? `; ${block} classes a cell` : ""}`
      : "Confusion: judged after the first epoch";
    this.find(".confusion figcaption").textContent = words;
    this.find(".confusion canvas").setAttribute("aria-label", `${words}; of the validation images, ${classes} classes`);
  }

  point(event) {
    const { side, names, judged } = this.data.confusion;
    const box = event.currentTarget.getBoundingClientRect();
    const [column, row] = [event.clientX - box.left, event.clientY - box.top].map((one) => Math.floor((one / this.square) * side));
    if (!names.length || !judged[this.at] || column >= side || row >= side) {
      this.sayConfusion();
      return;
    }
    const share = this.confusion[(this.at * side + row) * side + column] / 255;
    this.find(".confusion figcaption").textContent =
      row === column
        ? `${names[row]}: about ${Math.round(100 * share)}% of its images recognised`
        : `${names[row]}: about ${Math.round(100 * share)}% of its images taken for ${names[column]}`;
  }

  drawCurve() {
    const { history, epochs, last } = this.data,
      canvas = this.find(".curve canvas");
    const { context, width, height } = cleared(canvas);
    const left = 40,
      right = 8,
      top = 8,
      bottom = 34;
    this.plot = { left, width: width - left - right, last: Math.max(last, 1) };
    const x = (epoch) => left + (this.plot.width * epoch) / this.plot.last;
    const y = (share) => height - bottom - (height - top - bottom) * share;
    context.font = `11px ${getComputedStyle(this.root).fontFamily}`;
    context.fillStyle = context.strokeStyle = this.ink;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const share of [0, 0.5, 1]) {
      context.globalAlpha = 0.8;
      context.fillText(`${100 * share}%`, left - 6, y(share));
      context.globalAlpha = 0.2;
      context.fillRect(left, y(share), this.plot.width, 1);
    }
    context.globalAlpha = 0.8;
    context.textBaseline = "top";
    context.textAlign = "left";
    context.fillText("0", left, height - bottom + 5);
    context.textAlign = "center";
    context.fillText("Epoch", left + this.plot.width / 2, height - bottom + 18);
    context.textAlign = "right";
    context.fillText(String(last), width - right, height - bottom + 5);
    context.globalAlpha = 1;
    const line = (figure, dashes, thick) => {
      context.strokeStyle = "#2D8CCB";
      context.lineWidth = thick;
      context.setLineDash(dashes);
      context.beginPath();
      history.forEach((record, place) => context[place ? "lineTo" : "moveTo"](x(record[0]), y(record[figure])));
      context.stroke();
      context.setLineDash([]);
    };
    line(2, [4, 3], 1);
    line(1, [], 2);
    const epoch = epochs[this.at],
      here = history.find((record) => record[0] === epoch);
    context.fillStyle = this.ink;
    context.fillRect(x(epoch) - 0.75, top, 1.5, height - top - bottom);
    if (here) {
      context.fillStyle = this.accent;
      context.beginPath();
      context.arc(x(epoch), y(here[1]), 5, 0, 2 * Math.PI);
      context.fill();
    }
    const words = here
      ? `Accuracy: validation ${percent(here[1])} (solid), training ${percent(here[2])} (dashed)`
      : "Accuracy: validation solid, training dashed";
    this.find(".curve figcaption").textContent = words;
    canvas.setAttribute("aria-label", words);
  }

  end() {
    this.pause();
    this.stop.abort();
    this.sized.disconnect();
  }
}

export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".film");
  let film = kept.get(root);
  if (!film) {
    film = new Film(root);
    kept.set(root, film);
  }
  film.take(data, (place) => setStateValue("image", place));
  return () => {
    if (root.isConnected) return; // only called anew, with newer data
    film.end();
    kept.delete(root);
  };
}
