// A network at work: the picture arrives, map after map appears, and the classes stand at the end; then the next picture.

const SVG = "http://www.w3.org/2000/svg";
const BETWEEN_MS = 130,
  FADE_MS = 380,
  REST_MS = 4500;

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".living");
  if (root.leave) return root.leave;
  const part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((one) => [one.dataset.part, one]));
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  let place = 0,
    paused = calm.matches,
    timer;

  function show() {
    const { title, drawing } = data.moments[place];
    part.stage.setAttribute("viewBox", `0 0 ${data.width} ${data.height}`);
    part.stage.replaceChildren();
    draw(drawing, part.stage);
    const said = part.stage.querySelector(".answers .name")?.textContent;
    part.words.textContent = `${data.network}, looks at a photograph (${title}): every map is one that it computed. It says ${said}.`;
    part.stage.setAttribute("aria-label", part.words.textContent);
    if (!calm.matches) {
      const steps = [...part.stage.querySelectorAll("image"), part.stage.querySelector(".answers")];
      steps.forEach((one, at) =>
        one.animate([{ opacity: 0 }, { opacity: 1 }], { duration: FADE_MS, delay: at * BETWEEN_MS, fill: "backwards" }),
      );
    }
    wait();
  }

  function wait() {
    clearTimeout(timer);
    part.pause.textContent = paused ? "Play" : "Pause";
    const boxes = part.stage.querySelectorAll("image").length;
    if (!paused) timer = setTimeout(next, boxes * BETWEEN_MS + REST_MS);
  }

  function next() {
    if (document.hidden || !root.isConnected) return wait();
    place = (place + 1) % data.moments.length;
    show();
  }

  part.pause.addEventListener("click", () => {
    paused = !paused;
    wait();
  });
  part.next.addEventListener("click", next);
  show();
  root.leave = () => {
    clearTimeout(timer);
    root.leave = undefined;
  };
  return root.leave;
}

function draw([tag, attributes, inside], parent) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent.append(made);
  if (typeof inside === "string") made.textContent = inside;
  else for (const child of inside) draw(child, made);
}
