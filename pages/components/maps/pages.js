// Asks the server for maps on behalf of the grid, and hands it what comes: see maps.js. `data` is as values.js reads it.

export default function ({ data, setTriggerValue }) {
  const bytes = data.slice(),
    length = new DataView(bytes.buffer).getUint32(0, true);
  const { side } = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const ask = ({ detail }) => {
    if (detail.side === side) setTriggerValue("wanted", detail.wanted);
  };
  window.addEventListener("cnnlab-maps-wanted", ask);
  window.dispatchEvent(new CustomEvent("cnnlab-maps-page", { detail: { side, bytes } }));
  return () => window.removeEventListener("cnnlab-maps-wanted", ask);
}
