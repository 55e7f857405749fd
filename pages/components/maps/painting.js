// How the grid and the map shown large are drawn.

/** A canvas of one pixel a value, or a former one until the values are here. */
function picture(maps, channel) {
  const { data } = maps,
    name = `${channel} ${data.scale}`;
  if (maps.tiles.has(name)) return maps.tiles.get(name);
  const small = data.pictures.get(channel),
    exact = small ? undefined : data.exact.get(channel);
  if (!exact && !small) return maps.former.get(name);
  const [low, high] = maps.ends(channel),
    first = data.low[channel],
    span = data.high[channel] - first;
  const value = exact ? (place) => exact[place] : (place) => (small[place] === NOT_FINITE ? NaN : first + (small[place] / 254) * span);
  const drawn = exact
    ? pixels(data.width, data.height, value, low, high, maps.colours)
    : pixels(data.small.width, data.small.height, value, low, high, maps.colours);
  if (maps.tiles.size > MOST_TILES && !maps.vector) maps.tiles.delete(maps.tiles.keys().next().value);
  maps.tiles.set(name, drawn);
  return drawn;
}

function paint(maps) {
  const { data, part, tile } = maps,
    context = part.canvas.getContext("2d"),
    { scrollTop } = part.grid;
  const style = getComputedStyle(maps.root),
    ink = style.color,
    soft = style.getPropertyValue("--line");
  const accent = style.getPropertyValue("--accent"),
    font = style.fontFamily;
  const ratio = window.devicePixelRatio || 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, part.canvas.width, part.canvas.height);
  context.imageSmoothingEnabled = false;
  const now = maps.now(),
    focused = maps.root.getRootNode().activeElement === part.grid;
  let shown = 0;
  for (const row of maps.visible()) {
    const top = row.top - scrollTop;
    if (row.group) {
      heading(context, row.group, top, ink, font);
      continue;
    }
    row.channels.forEach((channel, place) => {
      const x = GAP + place * maps.pitch,
        drawn = picture(maps, channel);
      if (drawn?.colour) {
        context.fillStyle = drawn.colour;
        context.fillRect(x, top, tile.width, tile.height);
      } else if (drawn) context.drawImage(drawn, x, top, tile.width, tile.height);
      else {
        context.fillStyle = soft;
        context.fillRect(x, top, tile.width, tile.height);
      }
      if (drawn) shown += 1;
      if (tile.label) label(maps, context, channel, x, top + tile.height, ink, font);
      const frame = (colour, wide) => {
        context.strokeStyle = colour;
        context.lineWidth = wide;
        context.strokeRect(x - wide / 2, top - wide / 2, tile.width + wide, tile.height + wide);
      };
      if (channel === data.channel) frame(accent, tile.label ? 3 : 2);
      else if (channel === now.channel && (focused || maps.pointed || maps.other)) frame(ink, 1.5);
      const unit = channel === now.channel ? now.unit : channel === data.channel ? data.at : undefined;
      if (unit && !maps.vector) mark(data, context, unit, x, top, tile.width, tile.height);
    });
  }
  part.grid.dataset.shown = shown;
  paintOne(maps, now);
  maps.ask();
}

function heading(context, group, top, ink, font) {
  context.fillStyle = group.colour;
  context.fillRect(GAP, top + 5, 14, 14);
  context.fillStyle = ink;
  context.font = `600 13px ${font}`;
  context.fillText(
    `${group.title}: ${many(group.count, "channel", "channels")}, ${percent(group.share)} of the total activation`,
    GAP + 21,
    top + 17,
  );
}

function label(maps, context, channel, x, top, ink, font) {
  const { data } = maps,
    most = maps.pitch - 4;
  context.fillStyle = ink;
  context.font = `600 11.5px ${font}`;
  const name = cut(context, data.classes[channel] ?? String(channel), most);
  context.fillText(name, x, top + 13);
  const wide = context.measureText(name).width;
  context.font = `11px ${font}`;
  if (maps.vector) return context.fillText(digits(data.mean[channel]), x, top + 26);
  const told = data.silenced.includes(channel) ? "silenced" : `${about(data.zeros[channel])} zero`;
  context.fillText(`· ${told}`, x + wide + 4, top + 13);
  context.fillText(cut(context, `mean ${digits(data.mean[channel])}`, most), x, top + 26);
}

function mark(data, context, [row, column], x, y, width, height) {
  const across = width / data.width,
    down = height / data.height,
    least = 4;
  const wide = Math.max(across, least),
    high = Math.max(down, least);
  const left = x + (column + 0.5) * across - wide / 2,
    top = y + (row + 0.5) * down - high / 2;
  for (const [colour, line] of [
    ["#ffffff", 4],
    ["#d55e00", 2],
  ]) {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.strokeRect(left, top, wide, high);
  }
}

function paintOne(maps, { channel, unit }) {
  const { data, part } = maps,
    times = (maps.narrow ? SMALLER : LARGE) / Math.max(data.height, data.width);
  const exact = data.exact.get(channel),
    [low, high] = maps.ends(channel),
    say = (name, words) => {
      part[name].textContent = words;
    };
  maps.shown = channel;
  const noun = maps.vector ? "Unit" : "Channel";
  say("title", data.classes[channel] ? `${noun} ${channel}: ${data.classes[channel]}` : `${noun} ${channel}`);
  say(
    "figures",
    maps.vector
      ? ""
      : `Mean ${digits(data.mean[channel])}, ${percent(data.zeros[channel])} zeros, ${digits(data.low[channel])} to ${digits(data.high[channel])}`,
  );
  part.large.hidden = maps.vector;
  if (!maps.vector) {
    fit(part.large, Math.round(data.width * times), Math.round(data.height * times));
    const context = part.large.getContext("2d"),
      ratio = window.devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.imageSmoothingEnabled = false;
    const drawn = exact ? sharp(maps, channel, exact, low, high) : picture(maps, channel);
    if (drawn) context.drawImage(drawn, 0, 0, data.width * times, data.height * times);
    else context.clearRect(0, 0, part.large.width, part.large.height);
    if (unit) mark(data, context, unit, 0, 0, data.width * times, data.height * times);
  }
  const place = unit ?? (maps.vector ? [0, 0] : undefined);
  const value = place && exact?.[place[0] * data.width + place[1]];
  const where = maps.vector ? "" : place ? `Row ${place[0]}, column ${place[1]}: ` : "Point at a map: its value stands here.";
  say("value", place ? `${where}${value === undefined ? "…" : digits(value)}` : where);
  legend(maps, channel, low, high);
}

function sharp(maps, channel, exact, low, high) {
  const { data } = maps,
    name = [channel, data.scale, data.version, data.layer].join(" ");
  if (maps.large.name !== name)
    maps.large = { name, drawn: pixels(data.width, data.height, (place) => exact[place], low, high, maps.colours) };
  return maps.large.drawn;
}

function legend(maps, channel, low, high) {
  const { data, part } = maps,
    context = part.key.getContext("2d");
  part.key.width = 256;
  maps.colours.forEach(([red, green, blue], place) => {
    context.fillStyle = `rgb(${red} ${green} ${blue})`;
    context.fillRect(place, 0, 1, 12);
  });
  part.low.textContent = digits(low);
  part.high.textContent = digits(high);
  const zero = low < 0 && high > 0 ? -low / (high - low) : undefined;
  part.zero.hidden = zero === undefined || zero < 0.2 || zero > 0.8;
  part.zero.style.left = `${100 * (zero ?? 0)}%`;
  if (zero !== undefined) {
    context.fillStyle = "#ffffff";
    context.fillRect(256 * zero - 1, 0, 2, 12);
  }
  part.keyText.textContent =
    data.scale === "each" && !maps.vector
      ? `The colours of channel ${channel}`
      : `The colours of all ${maps.vector ? "units" : "channels"} of this layer`;
}
