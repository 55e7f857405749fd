// The camera's frames go to the network one at a time: the next when the answer to the one before has come.

const WIDTH = 320,
  LEAST_MS = 60;
const REFUSED = {
  NotAllowedError: "The browser was not allowed to use the camera. Allow it for this page (beside the address), then start again.",
  NotFoundError: "There is no camera on this computer.",
  NotReadableError: "The camera is in use by another program.",
  OverconstrainedError: "That camera is not there any more.",
};

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".camera");
  root.camera ??= new Camera(root);
  root.camera.take(data ?? {}, setTriggerValue);
  return () =>
    setTimeout(() => {
      if (!root.isConnected) root.camera.leave();
    });
}

class Camera {
  constructor(root) {
    this.root = root;
    this.part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((one) => [one.dataset.part, one]));
    this.canvas = document.createElement("canvas");
    this.number = 0;
    const { start, take, which } = this.part;
    start.addEventListener("click", () => (this.stream ? this.stop() : this.begin()));
    take.addEventListener("click", () => {
      const image = this.frame();
      this.stop();
      this.trigger("taken", { image });
    });
    which.addEventListener("change", () => {
      this.stop();
      this.begin(which.value);
    });
    this.gone = new AbortController();
    const on = { signal: this.gone.signal };
    document.addEventListener(
      "visibilitychange",
      () => {
        if (document.hidden) this.stop("Stopped, because the page was hidden.");
      },
      on,
    );
    window.addEventListener("pagehide", () => this.stop(), on);
  }

  leave() {
    this.stop();
    this.gone.abort();
  }

  async begin(device) {
    const { part } = this;
    if (!navigator.mediaDevices?.getUserMedia) {
      part.told.textContent = "The browser gives the camera only to pages on this computer (localhost) or over https.";
      return;
    }
    part.told.textContent = "Waiting for the camera.";
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        video: device ? { deviceId: { exact: device } } : { facingMode: "environment" },
      });
    } catch (error) {
      part.told.textContent = REFUSED[error.name] ?? `The camera cannot be used: ${error.message}`;
      return;
    }
    if (!this.root.isConnected) return this.stop();
    part.video.srcObject = this.stream;
    await part.video.play().catch(() => {});
    await this.cameras();
    part.start.textContent = "Stop";
    part.take.hidden = false;
    part.told.textContent = "";
    this.times = [];
    this.ask();
  }

  async cameras() {
    const found = (await navigator.mediaDevices.enumerateDevices()).filter((one) => one.kind === "videoinput");
    const now = this.stream?.getVideoTracks()[0]?.getSettings().deviceId,
      { which } = this.part;
    which.hidden = found.length < 2;
    which.replaceChildren(
      ...found.map((one, place) => new Option(one.label || `Camera ${place + 1}`, one.deviceId, false, one.deviceId === now)),
    );
  }

  stop(words = "") {
    this.stream?.getTracks().forEach((track) => track.stop());
    const was = this.stream;
    this.stream = undefined;
    this.part.video.srcObject = null;
    this.part.start.textContent = "Start the camera";
    this.part.take.hidden = true;
    this.part.which.hidden = true;
    if (was || !words) this.part.told.textContent = words;
    this.root.dataset.running = "no";
  }

  /** What the camera sees now, as a small JPEG. */
  frame() {
    const { video } = this.part,
      { canvas } = this,
      scale = Math.min(WIDTH / (video.videoWidth || WIDTH), 1);
    canvas.width = Math.max(Math.round(video.videoWidth * scale), 1);
    canvas.height = Math.max(Math.round(video.videoHeight * scale), 1);
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL("image/jpeg", 0.9);
  }

  ask() {
    if (!this.stream || !this.root.isConnected) return;
    if (!this.part.video.videoWidth) return void setTimeout(() => this.ask(), LEAST_MS);
    this.number += 1;
    this.asked = performance.now();
    this.root.dataset.running = "yes";
    this.trigger("frame", { number: this.number, image: this.frame() });
  }

  take(data, trigger) {
    this.trigger = trigger;
    if (data.bars) this.show(data);
    if (data.answered !== this.number || !this.stream || this.answered === this.number) return;
    this.answered = this.number;
    this.times = [...this.times.slice(-20), performance.now()];
    setTimeout(() => this.ask(), Math.max(LEAST_MS - (performance.now() - this.asked), 0));
  }

  show({ bars, map, layer, account }) {
    const { part, times } = this;
    part.account.textContent = account;
    part.map.hidden = !map;
    if (map) part.map.src = map;
    part.map.alt = part.layer.textContent = layer;
    part.bars.replaceChildren(
      ...bars.map(([name, share]) => {
        const line = document.createElement("div"),
          title = document.createElement("span"),
          bar = document.createElement("i"),
          told = document.createElement("span");
        line.setAttribute("role", "listitem");
        title.textContent = name;
        bar.style.width = `${100 * share}%`;
        told.textContent = `${(100 * share).toFixed(1)}%`;
        const room = document.createElement("span");
        room.append(bar);
        line.append(title, room, told);
        return line;
      }),
    );
    if (times?.length > 4) {
      const rate = ((times.length - 1) * 1000) / (times.at(-1) - times[0]);
      this.root.dataset.rate = rate.toFixed(1);
      part.told.textContent = this.stream ? `${rate.toFixed(0)} frames a second` : part.told.textContent;
    }
  }
}
