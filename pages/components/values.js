// What drawings of values share: reading what the server sent, colours, sizes and words.

/** What the server sent: a header as JSON, then arrays that are taken one after another, as floats or as bytes. */
function opened(sent) {
  const whole = sent.slice(),
    length = new DataView(whole.buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(whole.subarray(4, 4 + length)));
  let at = 4 + length;
  const bytes = (count) => whole.subarray(at, (at += count));
  const numbers = (count) => new Float32Array(whole.buffer.slice(at, (at += 4 * count)));
  return { head, bytes, numbers };
}

function palette(stops) {
  const parts = stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  return Array.from({ length: 256 }, (_, value) => {
    const at = (value / 255) * (parts.length - 1),
      left = Math.min(Math.floor(at), parts.length - 2);
    return parts[left].map((part, place) => Math.round(part + (parts[left + 1][place] - part) * (at - left)));
  });
}

/** A canvas of one pixel a value, from low to high in the colours given; what is not finite has its own. */
function pixels(width, height, value, low, high, colours) {
  const times = high > low ? 255 / (high - low) : 0;
  const colour = (place) => {
    const one = value(place);
    return Number.isFinite(one) ? colours[Math.min(Math.max(Math.round((one - low) * times), 0), 255)] : NAN;
  };
  if (width * height === 1) return { colour: `rgb(${colour(0).join(" ")})` };
  const canvas = made("canvas", { width, height }),
    context = canvas.getContext("2d");
  const image = context.createImageData(width, height),
    { data } = image;
  for (let place = 0, at = 0; at < data.length; place += 1, at += 4) {
    const [red, green, blue] = colour(place);
    data[at] = red;
    data[at + 1] = green;
    data[at + 2] = blue;
    data[at + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Give a canvas a size in CSS pixels, as sharp as the screen. */
function fit(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1,
    [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide) canvas.width = wide;
  if (canvas.height !== high) canvas.height = high;
  Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
}

function made(tag, attributes = {}) {
  return Object.assign(document.createElement(tag), attributes);
}

/** A number to four significant digits; a whole one as it is. */
function digits(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value),
    text = size && (size < 1e-4 || size >= 1e6) ? value.toExponential(3) : value.toPrecision(4);
  return (Number.isInteger(value) && size < 1e6 ? String(value) : text).replaceAll("-", "−");
}

function cut(context, text, most) {
  let kept = text;
  while (kept.length > 1 && context.measureText(kept).width > most) kept = kept.slice(0, -1);
  return kept === text ? text : `${kept.slice(0, -1)}…`;
}

const percent = (share, places = 1) => (share === null || Number.isNaN(share) ? "–" : `${(100 * share).toFixed(places)}%`);
/** A share in whole percent; all and nothing are only said where they are meant. */
const about = (share) => (share > 0.99 && share < 1 ? ">99%" : share > 0 && share < 0.01 ? "<1%" : percent(share, 0));
const many = (count, one, more) => `${count.toLocaleString("en")} ${count === 1 ? one : more}`;
const zeroWords = ({ zeros }) => `${zeros.filter((share) => share === 1).length.toLocaleString("en")} of them are zero.`;

/** Put these in the place of what an element holds; the focus stays on the one of its kind that is chosen. */
function replace(element, children) {
  const held = element.contains(element.getRootNode().activeElement);
  element.replaceChildren(...children);
  if (held) (element.querySelector("[aria-selected=true]") ?? element.querySelector("button"))?.focus();
}
