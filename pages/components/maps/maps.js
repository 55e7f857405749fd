// The channels of a layer as maps in a grid. Only what is in sight is drawn and asked for; words only become textContent.

const GAP = 8,
  LABEL = 30,
  HEADING = 30,
  WISHED = 104,
  NARROW_TILE = 92,
  LARGE = 232,
  SMALLER = 150,
  TALLEST = 452,
  NARROW = 720;
const NAN = [255, 79, 163],
  NOT_FINITE = 255,
  MOST_TILES = 700,
  MOST_KEPT = 60,
  REST_MS = 70,
  AGAIN_MS = 2500;

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".maps");
  root.maps ??= new Maps(root);
  return root.maps.take(read(data), setTriggerValue);
}

class Maps {
  constructor(root) {
    this.root = root;
    this.part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((one) => [one.dataset.part, one]));
    this.inside = false;
    this.large = { side: 1 };
  }

  /** Take what came, keep what is still true of before, and listen until the next comes. */
  take(data, trigger) {
    const before = this.data;
    this.trigger = trigger;
    this.sent = undefined;
    this.leave?.();
    const sameLayer = before?.layer === data.layer && before.network === data.network && before.count === data.count;
    if (sameLayer && before.version === data.version) {
      data.exact = new Map([...before.exact, ...data.exact]);
      data.pictures = new Map([...before.pictures, ...data.pictures]);
    } else {
      this.former = sameLayer ? this.tiles : new Map();
      this.tiles = new Map();
    }
    this.data = data;
    this.whole = data.exact.size === data.count;
    const elsewhere = sameLayer && (before.channel !== data.channel || String(before.at) !== String(data.at));
    if (!sameLayer) this.other = undefined;
    if (!sameLayer || (elsewhere && !this.inside)) Object.assign(this, { cursor: undefined, unit: undefined, inside: false });
    const grouping = ({ sort, groups }) => `${sort} ${groups.length}`;
    const moved = before && (!sameLayer || grouping(before) !== grouping(data));
    if (moved) this.part.grid.scrollTop = 0;
    this.colours = this.colours ?? palette(data.colours);
    this.words();
    this.arrange();
    if ((moved || !before || elsewhere) && data.named) this.bring(data.channel);
    this.listen();
    this.paint();
    return this.leave;
  }

  /** Take a page of maps that was asked for. */
  add(page) {
    const { data } = this;
    this.sent = undefined;
    if (page.version === data.version && page.layer === data.layer) {
      for (const [channel, values] of page.exact) data.exact.set(channel, values);
      for (const [channel, values] of page.pictures) data.pictures.set(channel, values);
      for (const channel of data.exact.keys()) if (!this.whole && data.exact.size > MOST_KEPT) data.exact.delete(channel);
    }
    this.soon();
  }

  listen() {
    const stop = new AbortController(),
      on = { signal: stop.signal },
      { grid, large, tabs, sort, scale, grouped } = this.part;
    const sized = new ResizeObserver(() => {
      this.arrange();
      this.paint();
    });
    sized.observe(this.root);
    grid.addEventListener(
      "scroll",
      () => {
        this.soon();
        if (this.pointed && this.mouse) this.point(this.under(this.mouse));
      },
      on,
    );
    grid.addEventListener(
      "pointermove",
      (event) => {
        this.mouse = event;
        this.point(this.under(event));
      },
      on,
    );
    grid.addEventListener(
      "pointerleave",
      () => {
        this.mouse = undefined;
        this.point();
      },
      on,
    );
    grid.addEventListener("click", (event) => this.press(this.under(event)), on);
    grid.addEventListener("keydown", (event) => this.key(event), on);
    grid.addEventListener("focus", () => this.paint(), on);
    grid.addEventListener("blur", () => this.paint(), on);
    large.addEventListener("pointermove", (event) => this.point(this.underLarge(event)), on);
    large.addEventListener("pointerleave", () => this.point(), on);
    large.addEventListener("click", (event) => this.press(this.underLarge(event)), on);
    tabs.addEventListener("click", (event) => this.choose({ layer: event.target.closest("button")?.dataset.layer }), on);
    tabs.addEventListener("keydown", (event) => this.walk(event), on);
    sort.addEventListener("click", (event) => this.option("sort", event, "number"), on);
    scale.addEventListener("click", (event) => this.option("scale", event, "layer"), on);
    grouped.addEventListener("change", () => this.send({ grouped: grouped.checked ? "" : "no" }), on);
    this.part.strip.addEventListener("click", (event) => this.toBranch(event.target.closest("button")), on);
    window.addEventListener("cnnlab-point", (event) => this.hear(event.detail), on);
    window.addEventListener(
      "cnnlab-maps-page",
      ({ detail }) => {
        if (detail.side === this.data.side) this.add(read(detail.bytes));
      },
      on,
    );
    this.leave = () => {
      stop.abort();
      sized.disconnect();
      clearTimeout(this.resting);
      clearTimeout(this.again);
    };
  }

  // Words and controls

  words() {
    const { data, part } = this,
      say = (name, words) => {
        part[name].textContent = words;
      };
    replace(
      part.tabs,
      data.layers.map((layer) => {
        const button = made("button", { type: "button", role: "tab", title: layer.what });
        button.dataset.layer = layer.name;
        button.setAttribute("aria-selected", String(layer.name === data.layer));
        button.tabIndex = layer.name === data.layer ? 0 : -1;
        const dot = made("i");
        dot.style.background = layer.colour;
        button.append(dot, layer.title);
        return button;
      }),
    );
    for (const name of ["sort", "scale"]) {
      for (const one of part[name].querySelectorAll("button")) one.setAttribute("aria-pressed", String(one.dataset.value === data[name]));
    }
    part.scale.hidden = this.vector;
    const [, byMean, byZeros] = part.sort.querySelectorAll("button");
    byMean.textContent = this.vector ? "Value" : "Mean activation";
    byZeros.hidden = this.vector;
    part.groupedLabel.hidden = !data.canGroup;
    part.grouped.checked = data.groups.length > 0;
    const dead = data.dead ? `${many(data.dead, "is", "are")} dead: zero everywhere for this image.` : "None is dead.";
    const silenced = data.silenced.length ? ` ${many(data.silenced.length, "is", "are")} silenced.` : "";
    const noun = this.vector ? "units" : "channels";
    say(
      "told",
      `${data.module} · ${data.what}: ${data.count.toLocaleString("en")} ${noun}. ${this.vector ? zeroWords(data) : dead}${silenced}`,
    );
    const [channels, values] = data.notFinite;
    part.broken.hidden = !values;
    say(
      "brokenText",
      `${values.toLocaleString("en")} ${values === 1 ? "value" : "values"} in ${many(channels, "channel", "channels")} not finite (NaN or infinite); they have this colour.`,
    );
    this.bands();
    const shrunk = data.small.step > 1 ? ` Maps are drawn at 1/${data.small.step} of their size here; the numbers are exact.` : "";
    say(
      "hint",
      `${this.vector ? "Click a unit to choose it. Keys: arrows move, Enter chooses" : "Click a map to choose its channel, and then a place on it to choose one value. Keys: arrows move, Enter chooses, Enter again goes into the map, Escape leaves it"}, Page Up and Page Down turn the page.${shrunk}`,
    );
    part.grid.setAttribute("aria-label", `${data.layer}: ${data.count} ${noun}. Arrows move, Enter chooses.`);
  }

  bands() {
    const { bands, layer } = this.data,
      { strip, bandsText } = this.part;
    this.part.bands.hidden = !bands;
    if (!bands) return;
    replace(
      strip,
      bands.branches.map((one, place) => {
        const button = made("button", { type: "button", title: `${one.title}: channels ${one.first} to ${one.first + one.count - 1}` });
        button.style.flexGrow = one.count;
        button.style.background = one.colour;
        button.dataset.first = one.first;
        button.classList.toggle("own", bands.own.includes(place));
        button.textContent = one.count;
        return button;
      }),
    );
    replace(
      bandsText,
      bands.branches.map((one, place) => {
        const item = made("span"),
          dot = made("i");
        dot.style.background = one.colour;
        item.append(dot, `${one.title}: ${many(one.count, "channel", "channels")}, ${percent(one.share)} of the total activation`);
        if (bands.own.includes(place)) item.append(" (this layer is on it)");
        return item;
      }),
    );
    bandsText.title = "The sum of the values of a branch without their signs, as a share of that of all branches";
    strip.setAttribute("aria-label", layer === bands.layer ? "Channels by branch" : `What flows together in ${bands.layer}`);
  }

  // Where the tiles stand

  get vector() {
    return this.data.height === 1 && this.data.width === 1;
  }

  arrange() {
    const { data, part } = this;
    this.narrow = this.root.clientWidth < NARROW;
    this.root.classList.toggle("narrow", this.narrow);
    const { height, width, count } = data,
      side = Math.max(height, width);
    let tile;
    if (this.vector) {
      const named = count <= 64,
        cell = named ? 64 : count <= 1024 ? 22 : 13;
      tile = { width: named ? 96 : cell, height: named ? 44 : cell, label: named ? LABEL : 0, gap: named ? GAP : 1 };
    } else {
      const times = data.small.step > 1 ? 1 / data.small.step : Math.max(1, Math.round(WISHED / side));
      tile = { width: Math.round(width * times), height: Math.round(height * times), label: LABEL, gap: GAP };
    }
    const least = (tile.label ? Math.max(tile.width, NARROW_TILE) : tile.width) + tile.gap;
    const room = part.grid.clientWidth - 2 * GAP + tile.gap,
      columns = Math.max(1, Math.floor(room / least));
    const pitch = tile.label && count > columns ? room / columns : least;
    const rows = [];
    let top = GAP,
      start = 0;
    const groups = data.groups.length ? data.groups : [{ count }];
    for (const group of groups) {
      if (group.title) {
        rows.push({ top, height: HEADING, group });
        top += HEADING;
      }
      for (let at = 0; at < group.count; at += columns) {
        const high = tile.height + tile.label + tile.gap;
        rows.push({ top, height: high, channels: data.order.slice(start + at, start + Math.min(at + columns, group.count)) });
        top += high;
      }
      start += group.count;
    }
    Object.assign(this, { tile, pitch, columns, rows, total: top });
    this.places = new Map(rows.flatMap((row) => row.channels?.map((channel, place) => [channel, { x: GAP + place * pitch, row }]) ?? []));
    part.grid.style.height = `${Math.min(top + 2, TALLEST)}px`;
    const seen = part.grid.clientHeight;
    part.rest.style.height = `${Math.max(0, top - seen)}px`;
    fit(part.canvas, part.grid.clientWidth, seen);
  }

  visible(more = 0) {
    const { scrollTop, clientHeight } = this.part.grid;
    return this.rows.filter((row) => row.top + row.height > scrollTop - more && row.top < scrollTop + clientHeight + more);
  }

  paint() {
    paint(this);
  }

  soon() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = undefined;
      this.paint();
    });
  }

  ends(channel) {
    const { data } = this;
    return data.scale === "each" && !this.vector ? [data.low[channel], data.high[channel]] : data.range;
  }

  /** The channel and place that are shown large: what is pointed at, here or elsewhere, else the cursor, else chosen. */
  now() {
    const { data } = this;
    const chosen = { channel: data.channel, unit: data.at ?? undefined };
    if (this.pointed ?? this.other) return { ...chosen, ...(this.pointed ?? this.other) };
    if (this.cursor === undefined) return chosen;
    return { channel: this.cursor, unit: this.unit ?? (this.cursor === data.channel ? chosen.unit : undefined) };
  }

  // What is not here yet

  /** Ask for small pictures in sight, and soon after for the values of the map that is shown large: one thing at a time. */
  ask() {
    const { data } = this;
    if (this.whole || this.sent) return;
    const lacking = (rows) => rows.flatMap((row) => row.channels ?? []).filter((channel) => !data.pictures.has(channel));
    const inSight = lacking(this.visible());
    if (inSight.length) {
      const near = lacking(this.visible(this.part.grid.clientHeight));
      return this.want({ small: [...new Set([...inSight, ...near])].slice(0, data.small.page), exact: [] });
    }
    clearTimeout(this.resting);
    if (!data.exact.has(this.shown)) this.resting = setTimeout(() => this.want({ small: [], exact: [this.shown] }), REST_MS);
  }

  want(channels) {
    const { data } = this;
    this.sent = channels;
    const detail = { side: data.side, wanted: { layer: data.layer, version: data.version, ...channels } };
    window.dispatchEvent(new CustomEvent("cnnlab-maps-wanted", { detail }));
    clearTimeout(this.again);
    this.again = setTimeout(() => {
      this.sent = undefined;
      this.paint();
    }, AGAIN_MS);
  }

  // Pointing and choosing

  under(event) {
    const { grid } = this.part,
      box = grid.getBoundingClientRect(),
      { tile } = this;
    const x = event.clientX - box.left - grid.clientLeft,
      y = event.clientY - box.top - grid.clientTop + grid.scrollTop;
    const row = this.rows.find((one) => y >= one.top && y < one.top + one.height && one.channels);
    const place = Math.floor((x - GAP) / this.pitch),
      channel = x < GAP ? undefined : row?.channels[place];
    if (channel === undefined) return undefined;
    const across = (x - GAP - place * this.pitch) / tile.width,
      down = (y - row.top) / tile.height;
    return { channel, unit: this.unitAt(down, across) };
  }

  underLarge(event) {
    const box = this.part.large.getBoundingClientRect();
    return {
      channel: this.shown,
      unit: this.unitAt((event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width),
      large: true,
    };
  }

  unitAt(down, across) {
    const { height, width } = this.data;
    if (down < 0 || down >= 1 || across < 0 || across >= 1) return undefined;
    return [Math.floor(down * height), Math.floor(across * width)];
  }

  point(at) {
    if (!at && !this.pointed) return;
    this.pointed = at && (at.unit ? at : { channel: at.channel, unit: undefined });
    this.tell();
    this.soon();
  }

  /** Tell the other parts what is pointed at. */
  tell() {
    const { data } = this,
      at = this.pointed ?? (this.inside || this.cursor !== undefined ? this.now() : undefined);
    const [row, column] = at?.unit ?? [null, null];
    this.speaking = true;
    const detail = { side: data.side, layer: at ? data.layer : null, channel: at?.channel ?? null, row, column };
    window.dispatchEvent(new CustomEvent("cnnlab-point", { detail }));
    this.speaking = false;
  }

  hear({ layer, channel, row, column }) {
    if (this.speaking) return;
    const { data } = this,
      here = layer === data.layer && !(channel >= data.count) && !(row >= data.height) && !(column >= data.width);
    const known = (value) => value !== null && value !== undefined;
    this.other = here ? { ...(known(channel) && { channel }), unit: known(row) ? [row, column] : undefined } : undefined;
    this.soon();
  }

  press(at) {
    if (!at) return;
    this.cursor = at.channel;
    this.unit = undefined;
    this.inside = false;
    const chosen = at.channel === this.data.channel;
    if ((chosen || at.large) && at.unit) this.choose({ channel: at.channel, at: at.unit });
    else if (!chosen) this.choose({ channel: at.channel });
  }

  choose({ layer, channel, at }) {
    if (layer) return layer === this.data.layer || this.send({ layer, channel: "", at: "" });
    if (channel === undefined) return undefined;
    const kept = at ?? (channel === this.data.channel ? this.data.at : undefined);
    Object.assign(this.data, { channel, at: kept ?? null });
    this.soon();
    return this.send({ channel: String(channel), at: at ? at.join(",") : "" });
  }

  option(name, event, usual) {
    const value = event.target.closest("button")?.dataset.value;
    if (!value || value === this.data[name]) return;
    if (name === "scale") {
      this.data.scale = value;
      this.soon();
    }
    for (const one of this.part[name].querySelectorAll("button")) one.setAttribute("aria-pressed", String(one.dataset.value === value));
    this.send({ [name]: value === usual ? "" : value });
  }

  send(changes) {
    this.trigger("chosen", changes);
  }

  toBranch(button) {
    if (!button) return;
    const { data } = this;
    if (data.layer !== data.bands.layer) return this.choose({ layer: data.bands.layer });
    const first = Number(button.dataset.first),
      group = this.rows.find((row) => row.group?.first === first);
    this.part.grid.scrollTop = (group ?? this.places.get(first).row).top - GAP;
  }

  // Keyboard

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { data } = this,
      steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const step = steps[event.key],
      at = this.now();
    if (!step && !["Enter", "Escape", "PageUp", "PageDown", "Home", "End"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    this.pointed = this.other = undefined;
    if (this.inside && event.key === "Escape") {
      this.inside = false;
      this.unit = undefined;
    } else if (this.inside && step) {
      const within = (value, most) => Math.min(Math.max(value, 0), most - 1);
      this.unit = [within(this.unit[0] + step[0], data.height), within(this.unit[1] + step[1], data.width)];
    } else if (this.inside && event.key === "Enter") this.choose({ channel: this.cursor, at: this.unit });
    else if (event.key === "Enter") this.enter(at.channel);
    else if (event.key === "Escape") this.part.grid.blur();
    else this.go(at.channel, event.key, step);
    this.tell();
    this.paint();
  }

  enter(channel) {
    this.cursor = channel;
    if (channel !== this.data.channel) return this.choose({ channel });
    if (this.vector) return this.choose({ channel, at: [0, 0] });
    this.inside = true;
    this.unit = this.data.at ?? [this.data.height >> 1, this.data.width >> 1];
    return undefined;
  }

  go(channel, key, step) {
    this.inside = false;
    this.unit = undefined;
    const { order } = this.data,
      place = order.indexOf(channel),
      rows = this.rows.filter((row) => row.channels);
    const line = rows.findIndex((row) => row.channels.includes(channel)),
      column = rows[line].channels.indexOf(channel);
    const high = this.tile.height + this.tile.label + this.tile.gap,
      page = Math.max(1, Math.floor(this.part.grid.clientHeight / high));
    const lines = { PageUp: -page, PageDown: page }[key] ?? step?.[0];
    if (key === "Home") this.cursor = order[0];
    else if (key === "End") this.cursor = order[order.length - 1];
    else if (lines) {
      const row = rows[Math.min(Math.max(line + lines, 0), rows.length - 1)];
      this.cursor = row.channels[Math.min(column, row.channels.length - 1)];
    } else this.cursor = order[Math.min(Math.max(place + step[1], 0), order.length - 1)];
    this.bring(this.cursor);
  }

  bring(channel) {
    const { grid } = this.part,
      { row } = this.places.get(channel);
    if (row.top - HEADING < grid.scrollTop) grid.scrollTop = row.top - HEADING;
    else if (row.top + row.height > grid.scrollTop + grid.clientHeight) grid.scrollTop = row.top + row.height - grid.clientHeight;
  }

  walk(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key],
      { layers, layer } = this.data;
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const next = layers[layers.findIndex((one) => one.name === layer) + step];
    if (next) this.choose({ layer: next.name });
  }
}

/** What the server sent: a header, then the figures of all channels (a page has none), then values and small pictures
 * of some. */
function read(sent) {
  const { head, bytes, numbers } = opened(sent);
  const figures = "count" in head ? ["mean", "zeros", "low", "high"].map((name) => [name, numbers(head.count)]) : [];
  const exact = head.exact.map((channel) => [channel, numbers(head.height * head.width)]);
  const { small } = head;
  const pictures = small.channels.map((channel) => [channel, bytes(small.height * small.width)]);
  return { ...head, ...Object.fromEntries(figures), exact: new Map(exact), pictures: new Map(pictures) };
}
