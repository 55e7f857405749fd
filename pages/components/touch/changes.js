// What is done to pixels: each takes red, green, blue bytes of a picture and gives new ones; nothing here knows the page.

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** The mean colour of a picture. */
function meanColour({ pixels }) {
  const sum = [0, 0, 0],
    count = pixels.length / 3;
  for (let at = 0; at < pixels.length; at += 1) sum[at % 3] += pixels[at];
  return sum.map((one) => Math.round(one / count));
}

/** A round brush of `size` pixels across, drawn from one place to another. */
function painted({ pixels, width, height }, from, to, size, colour) {
  const made = pixels.slice(),
    steps = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) * 2)),
    radius = size / 2;
  for (let step = 0; step <= steps; step += 1) {
    const x = from.x + ((to.x - from.x) * step) / steps,
      y = from.y + ((to.y - from.y) * step) / steps;
    const inside = (column, row) =>
      size <= 1 ? column === Math.floor(x) && row === Math.floor(y) : Math.hypot(column + 0.5 - x, row + 0.5 - y) <= radius;
    for (let row = Math.max(0, Math.floor(y - radius)); row <= Math.min(height - 1, Math.ceil(y + radius)); row += 1) {
      for (let column = Math.max(0, Math.floor(x - radius)); column <= Math.min(width - 1, Math.ceil(x + radius)); column += 1) {
        if (inside(column, row)) made.set(colour, 3 * (row * width + column));
      }
    }
  }
  return made;
}

/** A rectangle, ends included, in one colour. */
function covered({ pixels, width }, { left, top, right, bottom }, colour) {
  const made = pixels.slice();
  for (let row = top; row <= bottom; row += 1) {
    for (let column = left; column <= right; column += 1) made.set(colour, 3 * (row * width + column));
  }
  return made;
}

/** Random numbers from 0 to 1, the same for the same seed (mulberry32). */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Normal noise of a standard deviation in grey levels (Box and Muller). */
function noisy({ pixels }, deviation, seed) {
  const next = random(seed);
  return Uint8ClampedArray.from(
    pixels,
    (value) => value + deviation * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  );
}

/** Turned about its middle, clockwise; what comes from outside has the given colour. */
function rotated({ pixels, width, height }, degrees, outside) {
  const made = new Uint8ClampedArray(pixels.length),
    angle = (degrees * Math.PI) / 180;
  const cos = Math.cos(angle),
    sin = Math.sin(angle),
    across = (width - 1) / 2,
    down = (height - 1) / 2;
  const value = (column, row, channel) =>
    column < 0 || row < 0 || column >= width || row >= height ? outside[channel] : pixels[3 * (row * width + column) + channel];
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const x = cos * (column - across) + sin * (row - down) + across,
        y = cos * (row - down) - sin * (column - across) + down;
      const left = Math.floor(x + 1e-9),
        top = Math.floor(y + 1e-9),
        right = x - left,
        below = y - top;
      for (let channel = 0; channel < 3; channel += 1) {
        const upper = (1 - right) * value(left, top, channel) + right * value(left + 1, top, channel);
        const lower = (1 - right) * value(left, top + 1, channel) + right * value(left + 1, top + 1, channel);
        made[3 * (row * width + column) + channel] = (1 - below) * upper + below * lower;
      }
    }
  }
  return made;
}

/** A Gaussian blur, the border repeated. */
function blurred({ pixels, width, height }, deviation) {
  const reach = Math.ceil(3 * deviation),
    weights = [];
  for (let at = -reach; at <= reach; at += 1) weights.push(Math.exp(-(at * at) / (2 * deviation * deviation)));
  const total = weights.reduce((sum, one) => sum + one, 0);
  const pass = (given, along) =>
    Float32Array.from(given, (_, place) => {
      const channel = place % 3,
        pixel = (place - channel) / 3,
        row = Math.floor(pixel / width),
        column = pixel % width;
      let sum = 0;
      for (let at = -reach; at <= reach; at += 1) {
        const x = along ? clamp(column + at, 0, width - 1) : column,
          y = along ? row : clamp(row + at, 0, height - 1);
        sum += weights[at + reach] * given[3 * (y * width + x) + channel];
      }
      return sum / total;
    });
  return Uint8ClampedArray.from(pass(pass(pixels, true), false));
}

/** Lighter or darker by so many grey levels. */
function brightened({ pixels }, levels) {
  return Uint8ClampedArray.from(pixels, (value) => value + levels);
}
