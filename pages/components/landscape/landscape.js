const SVG = "http://www.w3.org/2000/svg";
const STEP = 1.25,
  MOVE = 80,
  LEAST_TEXT = 11 / 12,
  MOST_START = 1.6,
  MOST = 6;
const LOWEST = 150,
  TALLEST = 560,
  DRAG = 4,
  NARROW = 820,
  AROUND = 4;

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".landscape");
  const before = root.landscape;
  before?.leave();
  const state = before?.state ?? { scale: 0, x: 0, y: 0, moved: false, chosen: undefined, opening: undefined };
  const part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((one) => [one.dataset.part, one]));
  const stage = part.stage;
  const boxes = new Map(data.boxes.map((box) => [box.name, box]));
  const stop = new AbortController(),
    on = { signal: stop.signal };
  let pointed,
    matches = [];

  // The picture

  const world = element("g", {}, stage);
  stage.replaceChildren(world);
  draw(data.drawing, world);
  stage.setAttribute("aria-label", `${data.network} from its input to its output. Arrows move along it, Enter opens.`);
  const groups = new Map();
  [...world.querySelectorAll("g.box")].forEach((group, place) => {
    const {
      name,
      cell: [left, top, right, bottom],
    } = data.boxes[place];
    const size = { x: left - AROUND, y: top - AROUND, width: right - left + 2 * AROUND, height: bottom - top + 2 * AROUND };
    group.prepend(element("rect", { class: "around", rx: 6, ...size }));
    group.dataset.name = name;
    group.classList.toggle("selected", data.selected?.includes(name) ?? false);
    groups.set(name, group);
  });
  for (const {
    module,
    at: [, top, right],
  } of data.frames) {
    const cross = element("g", { class: "close", role: "button", transform: `translate(${right - 26} ${top + 6})` }, world);
    element("title", {}, cross).textContent = "Close this module (Escape)";
    element("rect", { width: 20, height: 20, rx: 4 }, cross);
    element("path", { d: "M6 6L14 14M14 6L6 14" }, cross);
    cross.dataset.module = module;
  }
  const marks = element("g", {}, world);

  // Where one looks

  const full = () => root.getRootNode().fullscreenElement === root;
  const width = () => stage.clientWidth || 1;
  const tallest = () => (full() ? Math.max(stage.clientHeight, LOWEST) : TALLEST);
  const fitting = () => Math.min(width() / data.width, tallest() / data.height, full() ? 3 : MOST_START);
  const height = () => (full() ? stage.clientHeight : Math.min(Math.max(data.height * state.scale, LOWEST), TALLEST));

  function paint() {
    if (!full()) stage.style.height = `${height()}px`;
    else stage.style.height = "";
    world.setAttribute("transform", `translate(${-state.x * state.scale} ${-state.y * state.scale}) scale(${state.scale})`);
    root.dataset.scale = state.scale.toFixed(3);
    const seen = part.map.querySelector(".seen");
    const size = { x: state.x, y: state.y, width: width() / state.scale, height: height() / state.scale };
    for (const [name, value] of Object.entries(size)) seen.setAttribute(name, value);
  }

  function place(scale) {
    state.scale = scale;
    state.x = Math.min((data.width - width() / scale) / 2, 0);
    state.y = (data.height - height() / scale) / 2;
    paint();
  }

  const start = () => {
    state.moved = false;
    place(Math.max(fitting(), LEAST_TEXT));
  };
  const whole = () => {
    state.moved = true;
    place(fitting());
  };

  function zoom(factor, x = width() / 2, y = height() / 2) {
    const was = state.scale;
    state.scale = Math.min(Math.max(was * factor, Math.min(fitting(), LEAST_TEXT) / 2), MOST);
    state.x += x / was - x / state.scale;
    state.y += y / was - y / state.scale;
    state.moved = true;
    paint();
  }

  function move(x, y) {
    state.x += x / state.scale;
    state.y += y / state.scale;
    state.moved = true;
    paint();
  }

  function reveal([left, top, right, bottom]) {
    const wide = width() / state.scale,
      high = height() / state.scale,
      edge = 16 / state.scale;
    const into = (at, room, from, to) =>
      to - from + 2 * edge > room ? from - edge : Math.min(Math.max(at, to + edge - room), from - edge);
    state.x = into(state.x, wide, left, right);
    state.y = into(state.y, high, top, bottom);
    paint();
  }

  function screen() {
    full() ? document.exitFullscreen() : root.requestFullscreen();
  }

  // What one points at

  function show(name, unit) {
    groups.get(pointed)?.classList.remove("pointed");
    pointed = name;
    const box = boxes.get(name);
    groups.get(name)?.classList.add("pointed");
    marks.replaceChildren();
    part.input.replaceChildren();
    const [rows, columns] = data.input;
    const room = Math.max(rows, columns) * 0.16;
    part.input.setAttribute("viewBox", [-room, -room, columns + 2 * room, rows + 2 * room].join(" "));
    element("rect", { class: "image", width: columns, height: rows }, part.input);
    const picture = groups.get(data.boxes[0].name)?.querySelector("image");
    if (picture) {
      const whole = { width: columns, height: rows, preserveAspectRatio: "none", "image-rendering": "pixelated" };
      element("image", { ...whole, href: picture.getAttribute("href") }, part.input);
    }
    part.size.textContent = `input, ${rows}×${columns}`;
    facts(box, unit);
    if (!box) return;
    const [row, column] = unit ?? box.maps.map((size) => size >> 1);
    const { size, stride, start: begin } = box.field;
    const top = begin[0] + stride[0] * row,
      left = begin[1] + stride[1] * column;
    const inside = clip(left, top, left + size[1], top + size[0], columns, rows);
    element("rect", { class: "padding", x: left, y: top, width: size[1], height: size[0] }, part.input);
    element("rect", { class: "field", ...inside }, part.input);
    const face = data.boxes[0].face,
      dx = face[2] / columns,
      dy = face[3] / rows;
    if (box !== data.boxes[0]) {
      const seen = { x: face[0] + inside.x * dx, y: face[1] + inside.y * dy };
      element("rect", { class: "field", ...seen, width: inside.width * dx, height: inside.height * dy }, marks);
    }
    const [x, y, wide, high] = box.face,
      across = wide / box.maps[1],
      down = high / box.maps[0];
    if (unit) {
      const least = (size) => Math.max(size, 3);
      const at = { x: x + column * across, y: y + row * down, width: least(across), height: least(down) };
      element("rect", { class: "unit", ...at }, marks);
    }
  }

  function facts(box, unit) {
    part.facts.replaceChildren();
    const title = html("h3", part.facts),
      text = html("p", part.facts);
    if (!box) {
      title.textContent = "Point at a volume";
      text.textContent =
        `Its shape and cost stand here; on the input, what its values depend on. ${
          data.selects
            ? "Press it to select it, with Ctrl to select more, with Shift all up to it; press a module again to open it. "
            : "Press a module to open it. "
        }Drag to ` +
        "move; Ctrl and the wheel zoom. Keys: arrows go along the network, Enter opens, Escape closes, + − 0 zoom, " +
        "F full screen, / finds, Shift and arrows move the picture.";
      return;
    }
    title.textContent = box.title;
    text.textContent = box.what;
    const list = html("dl", part.facts);
    const { size, stride, start: begin } = box.field;
    const where = unit ? ` (row ${unit[0]}, column ${unit[1]})` : " (in the middle)";
    const both = (pair) => pair.map(signed).join("×");
    const apart = stride[0] === stride[1] ? stride[0] : both(stride);
    const padded = Math.min(...begin) < 0 ? ", in the padding" : "";
    const lines = [
      ["Output", box.shape, ""],
      ["Parameters", box.parameters, ""],
      ["Multiply-adds", box.multiply_adds, ""],
      ["Receptive field", `${both(size)} px of ${both(data.input)}: what one value${where} depends on`, "wide"],
      ["Stride", `${apart} px; the first begins at row ${signed(begin[0])}, column ${signed(begin[1])}${padded}`, "wide"],
    ];
    for (const [term, value, kind] of lines) {
      html("dt", list).textContent = term;
      const told = html("dd", list);
      told.textContent = value;
      told.className = kind;
    }
  }

  function choose(name, bring = true) {
    groups.get(state.chosen)?.classList.remove("chosen");
    state.chosen = name;
    groups.get(name)?.classList.add("chosen");
    for (const small of part.map.querySelectorAll(".small")) small.classList.toggle("chosen", small.dataset.name === name);
    show(name);
    if (name && bring) reveal(boxes.get(name).cell);
  }

  // Modules opened

  const opened = () => data.opened;
  const open = (modules, turned) => {
    state.opening = turned;
    setTriggerValue("opened", { modules });
  };
  const toggle = (module) => {
    const now = opened();
    open(now.includes(module) ? now.filter((one) => one !== module) : [...now, module], module);
  };
  const openAll = () => open([...new Set(data.boxes.map((box) => box.module))]);
  const closeAll = () => open([]);

  function enter(name, how = "only") {
    const box = boxes.get(name);
    if (!box) return;
    if (data.selects && !(how === "only" && box.opens && data.selected.join() === name)) setTriggerValue("pressed", { layer: name, how });
    else if (box.opens) toggle(box.module);
    else if (data.at_work) setTriggerValue("pressed", { layer: box.last });
  }

  function leaveModule() {
    const module = boxes.get(state.chosen)?.module;
    if (opened().includes(module)) toggle(module);
    else choose(undefined);
  }

  // Along the network

  const axis = (box) => box.face[1] + box.face[3] / 2;
  const nearest = (from, found) =>
    found.sort((one, other) => Math.abs(axis(one) - axis(from)) - Math.abs(axis(other) - axis(from)))[0]?.name;

  function go(way) {
    const from = boxes.get(state.chosen);
    if (!from) return choose(data.boxes[0].name);
    const found =
      way === "ArrowRight"
        ? from.leads.map((name) => boxes.get(name))
        : way === "ArrowLeft"
          ? data.boxes.filter((box) => box.leads.includes(from.name))
          : data.boxes.filter((box) => {
              const apart = axis(box) - axis(from);
              return (way === "ArrowUp" ? apart < -1 : apart > 1) && box.cell[0] < from.cell[2] + 8 && box.cell[2] > from.cell[0] - 8;
            });
    const next = nearest(from, found);
    if (next) choose(next);
  }

  // Search

  function search() {
    const wanted = part.search.value.trim().toLowerCase();
    const hit = (text) => text.toLowerCase().includes(wanted);
    let count = 0;
    matches = [];
    for (const box of data.boxes) {
      const layers = box.layers.filter((texts) => texts.some(hit)).length;
      const found = wanted && (layers || hit(box.title) || hit(box.module));
      groups.get(box.name).classList.toggle("match", Boolean(found));
      if (found) matches.push(box.name);
      if (found) count += layers || box.layers.length;
    }
    stage.classList.toggle("searching", Boolean(wanted));
    part.found.textContent = wanted ? `${count} ${count === 1 ? "layer" : "layers"}` : "";
  }

  function nextMatch() {
    if (matches.length) choose(matches[(matches.indexOf(state.chosen) + 1) % matches.length]);
  }

  // The overview and the legend

  part.map.setAttribute("viewBox", `0 0 ${data.width} ${data.height}`);
  part.map.replaceChildren();
  for (const {
    name,
    face: [x, y, wide, high],
  } of data.boxes) {
    element("rect", { class: "small", x, y, width: wide, height: high }, part.map).dataset.name = name;
  }
  element("rect", { class: "seen" }, part.map);
  part.legend.replaceChildren();
  for (const { title, colour } of data.families) {
    const item = html("li", part.legend);
    html("i", item).style.background = colour;
    item.append(title);
  }
  part.scale.textContent = data.scale;

  function travel(event) {
    const inverse = part.map.getScreenCTM()?.inverse();
    if (!inverse) return;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(inverse);
    state.x = at.x - width() / state.scale / 2;
    state.y = data.height * state.scale <= height() ? state.y : at.y - height() / state.scale / 2;
    state.moved = true;
    paint();
  }
  part.map.addEventListener(
    "pointerdown",
    (event) => {
      part.map.setPointerCapture(event.pointerId);
      travel(event);
    },
    on,
  );
  part.map.addEventListener(
    "pointermove",
    (event) => {
      if (event.buttons) travel(event);
    },
    on,
  );

  // Mouse and keyboard

  const under = (event) => event.target.closest?.("g.box")?.dataset.name;

  function unitAt(event, name) {
    const {
      face: [x, y, wide, high],
      maps,
    } = boxes.get(name);
    const place = stage.getBoundingClientRect();
    const across = ((event.clientX - place.left) / state.scale + state.x - x) / wide;
    const down = ((event.clientY - place.top) / state.scale + state.y - y) / high;
    const within = across >= 0 && across < 1 && down >= 0 && down < 1;
    return within ? [Math.floor(down * maps[0]), Math.floor(across * maps[1])] : undefined;
  }

  let held;
  stage.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button !== 0) return;
      held = { x: event.clientX, y: event.clientY, dragged: false, pressed: event.target };
      stage.setPointerCapture(event.pointerId);
    },
    on,
  );
  stage.addEventListener(
    "pointermove",
    (event) => {
      if (!held) {
        const name = under(event) ?? state.chosen;
        const unit = under(event) && unitAt(event, name);
        show(name, unit);
        if (data.at_work) point(under(event), unit);
        return;
      }
      const x = held.x - event.clientX,
        y = held.y - event.clientY;
      if (!held.dragged && Math.hypot(x, y) < DRAG) return;
      stage.classList.add("dragged");
      move(x, y);
      held = { ...held, x: event.clientX, y: event.clientY, dragged: true };
    },
    on,
  );
  stage.addEventListener(
    "pointerup",
    (event) => {
      if (held && !held.dragged) press(held.pressed, event.shiftKey ? "range" : event.ctrlKey || event.metaKey ? "toggle" : "only");
      held = undefined;
      stage.classList.remove("dragged");
    },
    on,
  );
  stage.addEventListener(
    "pointercancel",
    () => {
      held = undefined;
      stage.classList.remove("dragged");
    },
    on,
  );
  stage.addEventListener(
    "pointerleave",
    () => {
      if (held) return;
      show(state.chosen);
      if (data.at_work) point(undefined);
    },
    on,
  );

  function press(pressed, how) {
    const module = pressed.closest(".close")?.dataset.module;
    if (module) return toggle(module);
    const name = pressed.closest("g.box")?.dataset.name;
    choose(name, false);
    enter(name, how);
  }

  // What other parts of the page show and point at

  function point(name, unit) {
    const detail = { side: data.side, layer: boxes.get(name)?.last ?? null, channel: null, row: unit?.[0], column: unit?.[1] };
    window.dispatchEvent(new CustomEvent("cnnlab-point", { detail: { ...detail, from: root } }));
  }

  function pointedElsewhere({ detail }) {
    if (!data.at_work || detail.from === root || detail.side !== data.side) return;
    const box = data.boxes.find((one) => one.last === detail.layer);
    show(box?.name ?? state.chosen, box && Number.isInteger(detail.row) ? [detail.row, detail.column] : undefined);
  }
  window.addEventListener("cnnlab-point", pointedElsewhere, on);

  stage.addEventListener(
    "wheel",
    (event) => {
      const box = stage.getBoundingClientRect();
      if (event.ctrlKey || event.metaKey || full()) {
        event.preventDefault();
        zoom(Math.exp(-event.deltaY / 300), event.clientX - box.left, event.clientY - box.top);
      } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        move(event.deltaX, 0);
      }
    },
    { ...on, passive: false },
  );

  const deeds = { out: () => zoom(1 / STEP), in: () => zoom(STEP), whole, screen, openAll, closeAll };
  root.addEventListener("click", (event) => deeds[event.target.closest("[data-do]")?.dataset.do]?.(), on);
  const keys = {
    "+": deeds.in,
    "=": deeds.in,
    "-": deeds.out,
    0: whole,
    Home: start,
    f: screen,
    F: screen,
    Enter: () => enter(state.chosen),
    Escape: leaveModule,
    "/": () => part.search.focus(),
  };
  stage.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const arrow = event.key.startsWith("Arrow");
      if (!arrow && !keys[event.key]) return;
      event.preventDefault();
      event.stopPropagation();
      if (arrow && event.shiftKey) {
        move(...{ ArrowLeft: [-MOVE, 0], ArrowRight: [MOVE, 0], ArrowUp: [0, -MOVE], ArrowDown: [0, MOVE] }[event.key]);
      } else if (arrow) go(event.key);
      else keys[event.key]();
    },
    on,
  );
  part.search.addEventListener("input", search, on);
  part.search.addEventListener(
    "keydown",
    (event) => {
      event.stopPropagation();
      if (event.key === "Enter") nextMatch();
      if (event.key !== "Escape") return;
      part.search.value = "";
      search();
      stage.focus();
    },
    on,
  );

  // Beginning, and ending

  const sized = new ResizeObserver(() => {
    if (width() === seenWidth) return;
    seenWidth = width();
    root.classList.toggle("narrow", root.clientWidth < NARROW);
    state.moved ? paint() : start();
  });
  let seenWidth = width();
  sized.observe(stage);
  root.addEventListener("fullscreenchange", start, on);
  root.classList.toggle("narrow", root.clientWidth < NARROW);
  const turned = state.opening;
  state.opening = undefined;
  const drawn = JSON.stringify([data.network, data.width, data.height, opened()]);
  if (state.drawn === drawn || (state.network === data.network && state.moved && data.frames.length)) paint();
  else start();
  Object.assign(state, { network: data.network, drawn });
  const frame = data.frames.find((one) => one.module === turned);
  const first = data.boxes.find((box) => box.module === turned);
  const wanted = data.boxes.find((box) => box.last === data.shown);
  const kept = boxes.has(state.chosen) && state.shown === data.shown ? state.chosen : wanted?.name;
  state.shown = data.shown;
  choose(first?.name ?? kept ?? (boxes.has(state.chosen) ? state.chosen : undefined), false);
  if (frame) reveal(frame.at);
  else if (first) reveal(first.cell);
  search();
  const leave = () => {
    stop.abort();
    sized.disconnect();
  };
  root.landscape = { state, leave };
  return leave;
}

function element(tag, attributes, parent) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent?.append(made);
  return made;
}

function html(tag, parent) {
  const made = document.createElement(tag);
  parent.append(made);
  return made;
}

function draw([tag, attributes, inside], parent) {
  const made = element(tag, attributes, parent);
  if (typeof inside === "string") made.textContent = inside;
  else for (const child of inside) draw(child, made);
}

function clip(left, top, right, bottom, columns, rows) {
  const within = (value, most) => Math.min(Math.max(value, 0), most);
  const x = within(left, columns),
    y = within(top, rows);
  return { x, y, width: within(right, columns) - x, height: within(bottom, rows) - y };
}

const signed = (value) => String(value).replace("-", "−");
