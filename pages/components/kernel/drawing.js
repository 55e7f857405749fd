// How the sliding window is drawn.

function pen(canvas, width, height) {
  fit(canvas, width, height);
  const context = canvas.getContext("2d"),
    ratio = window.devicePixelRatio || 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.imageSmoothingEnabled = false;
  return context;
}

function drawAll(slider) {
  const style = getComputedStyle(slider.root),
    part = (name) => style.getPropertyValue(name).trim();
  const ink = {
    text: style.color,
    soft: part("--soft"),
    line: part("--line"),
    accent: part("--accent"),
    mark: part("--mark"),
    font: style.fontFamily,
  };
  const now = slider.numbers(),
    { data } = slider,
    channel = now.channel ?? 0;
  drawInput(slider, channel, ink);
  drawOutput(slider, ink);
  if (slider.mixture) drawMixture(slider, now, ink);
  else drawGrids(slider, now, channel, ink);
  if (data.input[2] > 1 && !slider.mixture) drawSums(slider, now, ink);
  if (!slider.part.curveFigure.hidden) drawCurve(slider, now, ink);
  write(slider, now, channel);
}

/** A canvas of the map of an input channel, made once. */
function tile(slider, channel) {
  const [height, width, channels] = slider.data.input;
  if (!slider.tiles.has(channel)) {
    const value = (place) => slider.values[place * channels + channel];
    const numbers = Float32Array.from({ length: height * width }, (_, place) => value(place));
    const [low, high] = ends(numbers);
    slider.tiles.set(channel, pixels(width, height, value, Math.min(low, 0), Math.max(high, 0), slider.colours));
  }
  return slider.tiles.get(channel);
}

function lay(context, picture, x, y, width, height) {
  if (picture.colour) {
    context.fillStyle = picture.colour;
    context.fillRect(x, y, width, height);
  } else context.drawImage(picture, x, y, width, height);
}

/** The input map with the padding that windows reach, and the window. */
function drawInput(slider, channel, ink) {
  const { data } = slider,
    [height, width] = data.input,
    { kernel, stride, border, output } = data;
  const after = (axis) => Math.max((output[axis] - 1) * stride + kernel - border[axis] - data.input[axis], 0);
  const rows = border[0] + height + after(0),
    columns = border[1] + width + after(1);
  const scale = SIDE / Math.max(rows, columns),
    wide = columns * scale,
    high = rows * scale;
  const context = pen(slider.part.input, wide + 2, high + 2),
    area = { x: 1 + border[1] * scale, y: 1 + border[0] * scale, scale };
  slider.inputArea = { area };
  context.fillStyle = ink.line;
  context.fillRect(1, 1, wide, high);
  lay(context, tile(slider, channel), area.x, area.y, width * scale, height * scale);
  const [top, left] = slider.corner(),
    side = Math.max(kernel * scale, 4);
  frame(context, area.x + left * scale, area.y + top * scale, side, side, ink.mark, 2);
}

function drawOutput(slider, ink) {
  const { data, at } = slider,
    [rows, columns] = data.output,
    scale = SIDE / Math.max(rows, columns);
  const context = pen(slider.part.output, columns * scale + 2, rows * scale + 2),
    area = { x: 1, y: 1, scale };
  slider.outputArea = { area };
  lay(context, slider.output, 1, 1, columns * scale, rows * scale);
  const side = Math.max(scale, 4);
  frame(context, 1 + at[1] * scale, 1 + at[0] * scale, side, side, ink.mark, 2);
}

function frame(context, x, y, width, height, colour, line) {
  context.strokeStyle = "#ffffff";
  context.lineWidth = line + 2;
  context.strokeRect(x, y, width, height);
  context.strokeStyle = colour;
  context.lineWidth = line;
  context.strokeRect(x, y, width, height);
}

const signed = (value, most, alpha = 0.85) =>
  !Number.isFinite(value)
    ? "#ff4fa3"
    : `color-mix(in srgb, ${value < 0 ? "#0072b2" : "#d55e00"} ${Math.min(Math.abs(value) / (most || 1), 1) * 100 * alpha}%, transparent)`;

/** The window, the kernel and their products as squares of numbers. */
function drawGrids(slider, now, channel, ink) {
  const { data } = slider,
    size = data.kernel,
    room = slider.part.grids.parentElement.clientWidth;
  const convolution = data.kind === "convolution",
    count = convolution ? 3 : 1;
  const cell = Math.max(Math.min(Math.floor((room - (count - 1) * GAP) / count / size), CELL + 16), LEAST_CELL);
  const side = cell * size,
    width = count * side + (count - 1) * GAP;
  const context = pen(slider.part.grids, Math.max(width, 60), side + HEAD + 22);
  context.textAlign = "center";
  const weights = convolution ? now.values.map((_, place) => slider.weight(place, channel)) : [];
  const products = weights.map((weight, place) => (now.values[place] ?? 0) * weight);
  const squares = [
    ["window", now.values, slider.data.first + channel],
    ["kernel", weights],
    ["products", products],
  ].slice(0, count);
  squares.forEach(([title, numbers], place) => {
    const left = place * (side + GAP),
      most = Math.max(...numbers.map((one) => Math.abs(one ?? 0)));
    context.font = `600 13px ${ink.font}`;
    context.fillStyle = ink.text;
    context.fillText(title, left + side / 2, 13);
    if (place) context.fillText(place === 1 ? "×" : "=", left - GAP / 2, HEAD + side / 2 + 4);
    context.font = `${cell >= 40 ? 12 : cell >= 32 ? 10.5 : 9}px ${ink.font}`;
    numbers.forEach((one, at) => {
      const x = left + (at % size) * cell,
        y = HEAD + Math.floor(at / size) * cell;
      context.fillStyle = one === undefined ? ink.line : signed(one, most, 0.6);
      context.fillRect(x, y, cell, cell);
      context.strokeStyle = ink.line;
      context.lineWidth = 1;
      context.strokeRect(x + 0.5, y + 0.5, cell - 1, cell - 1);
      context.fillStyle = ink.text;
      context.fillText(one === undefined ? "0" : short(one, cell < 32 ? 2 : 3), x + cell / 2, y + cell / 2 + 4);
      if (data.kind === "max" && at === now.winner) frame(context, x + 1, y + 1, cell - 2, cell - 2, ink.mark, 2);
    });
  });
  context.font = `13px ${ink.font}`;
  context.fillStyle = ink.text;
  if (convolution) context.fillText(`sum ${digits(now.sums[channel])}`, width - side / 2, HEAD + side + 17);
  else context.fillText(data.kind === "max" ? "the largest wins" : `mean of ${now.real.length}`, Math.max(width, 60) / 2, HEAD + side + 17);
}

/** A number in the room of a cell. */
function short(value, places) {
  if (!Number.isFinite(value)) return digits(value);
  const size = Math.abs(value),
    text = size && (size < 1e-3 || size >= 1e5) ? value.toExponential(places - 2) : String(Number(value.toPrecision(places)));
  return text.replaceAll("-", "−").replace(/^(−?)0\./, "$1.");
}

/** A 1×1 convolution: the channels with the largest weights, each weight and what it contributes here. */
function drawMixture(slider, now, ink) {
  const { data, order } = slider,
    room = slider.part.grids.parentElement.clientWidth,
    line = 30,
    map = 26;
  const width = Math.max(room, 330),
    bar = (width - 210) / 2;
  const context = pen(slider.part.grids, width, HEAD + order.length * line + 18);
  const most = Math.max(...order.map((channel) => Math.abs(data.weights[channel]))) || 1;
  const largest = Math.max(...order.map((channel) => Math.abs(now.sums[channel]))) || 1;
  const middles = [150 + bar / 2, 210 + bar * 1.5];
  context.font = `600 13px ${ink.font}`;
  context.fillStyle = ink.text;
  context.textAlign = "left";
  context.fillText("channel", 0, 13);
  context.textAlign = "center";
  context.fillText("weight", middles[0], 13);
  context.fillText("× value = contribution", middles[1] - 20, 13);
  context.font = `12px ${ink.font}`;
  order.forEach((channel, place) => {
    const y = HEAD + place * line;
    lay(context, tile(slider, channel), 42, y, map, map);
    if (channel === now.channel) frame(context, 42, y, map, map, ink.accent, 2);
    context.fillStyle = ink.text;
    context.textAlign = "right";
    context.fillText(String(channel), 36, y + 17);
    context.textAlign = "left";
    context.fillText(digits(now.sums[channel] / data.weights[channel] || slider.input(...slider.corner(), channel)), 74, y + 17);
    for (const [value, end, middle] of [
      [data.weights[channel], most, middles[0]],
      [now.sums[channel], largest, middles[1]],
    ]) {
      const length = (value / end) * (bar / 2 - 44);
      context.fillStyle = value < 0 ? "#0072b2" : "#d55e00";
      context.fillRect(Math.min(middle, middle + length), y + 6, Math.abs(length), 14);
      context.fillStyle = ink.line;
      context.fillRect(middle, y, 1, map);
      context.fillStyle = ink.text;
      context.textAlign = value < 0 ? "right" : "left";
      context.fillText(digits(value), middle + length + (value < 0 ? -4 : 4), y + 17);
    }
  });
  context.textAlign = "left";
  context.fillStyle = ink.soft;
  const rest = data.input[2] - order.length;
  if (rest > 0) {
    const shown = order.reduce((sum, channel) => sum + now.sums[channel], 0);
    context.fillText(
      `and ${rest} channels with smaller weights: together ${digits(now.total - shown)}`,
      0,
      HEAD + order.length * line + 13,
    );
  }
}

/** The sum of each input channel as a bar; the one that is shown is marked. */
function drawSums(slider, now, ink) {
  const width = Math.max(Math.min(460, slider.root.clientWidth - 30), 120),
    height = 74,
    middle = height / 2,
    count = now.sums.length,
    step = width / count;
  const context = pen(slider.part.sums, width, height),
    most = Math.max(...now.sums.map(Math.abs)) || 1;
  context.fillStyle = ink.line;
  context.fillRect(0, middle, width, 1);
  now.sums.forEach((value, channel) => {
    const length = (value / most) * (middle - 2);
    context.fillStyle = value < 0 ? "#0072b2" : "#d55e00";
    context.fillRect(channel * step, Math.min(middle, middle - length), Math.max(step - 1, 0.7), Math.abs(length));
  });
  frame(context, now.channel * step - 1, 1, Math.max(step, 3) + 1, height - 2, ink.accent, 1.5);
}

/** The activation as a curve with this value's point. */
function drawCurve(slider, now, ink) {
  const width = 150,
    height = 74,
    reach = Math.max(Math.abs(now.score) * 1.25, 1),
    context = pen(slider.part.curve, width, height);
  const x = (value) => ((value + reach) / (2 * reach)) * width,
    y = (value) => height - 6 - ((value + 1) / (reach + 1)) * (height - 12);
  context.fillStyle = ink.line;
  context.fillRect(0, y(0), width, 1);
  context.fillRect(x(0), 0, 1, height);
  context.strokeStyle = ink.soft;
  context.lineWidth = 2;
  context.beginPath();
  for (let at = 0; at <= width; at += 2) {
    const value = (at / width) * 2 * reach - reach;
    context.lineTo(at, y(activated(value, slider.data.activation)));
  }
  context.stroke();
  context.fillStyle = ink.mark;
  context.beginPath();
  context.arc(x(now.score), y(activated(now.score, slider.data.activation)), 5, 0, 7);
  context.fill();
}

function write(slider, now, channel) {
  const { data, part, at } = slider,
    [height, width, channels] = data.input;
  part.inputWords.textContent = `${data.source}, channel ${data.first + channel} of ${height}×${width}`;
  part.outputWords.textContent = `row ${at[0]}, column ${at[1]}: ${digits(now.stored)}`;
  part.most.setAttribute("aria-pressed", String(slider.shown === undefined));
  const end = data.silenced ? " Silenced: the network goes on with 0." : "";
  if (data.kind === "convolution") {
    part.sumsWords.textContent = `the sums of ${channels} input channels; largest: channel ${now.most}, ${digits(now.sums[now.most])}`;
    const bias = data.bias === undefined ? "" : ` ${data.bias < 0 ? "−" : "+"} bias ${digits(Math.abs(data.bias))} = ${digits(now.score)}`;
    const word = { relu: "ReLU", relu6: "ReLU6", elu: "ELU", tanh: "tanh" }[data.activation],
      active = word ? `; ${word}: ${digits(now.computed)}` : "";
    const sum = channels > 1 ? `sum over ${channels} channels ${digits(now.total)}` : `sum ${digits(now.total)}`;
    part.equation.textContent = `${sum}${bias}${active}. Output: ${digits(now.stored)}${end}`;
  } else {
    const word = data.kind === "max" ? "largest" : `${digits(now.total)} / ${now.real.length}, the mean`;
    part.equation.textContent = `${word} of ${now.real.length} values: ${digits(now.computed)}. Output: ${digits(now.stored)}${end}`;
  }
}
