function placeOf(point, { facts, bytes }) { // in the unit of the file, by the axes of the page
  const data = new DataView(bytes.buffer, point * facts.stride, facts.stride);
  return facts.size.map((size, i) => facts.low[i] + (size * data.getUint16(2 * i, true)) / 65535);
}

function about(point, { facts, bytes, scores } = current()) { // what is known of it, as pairs of words
  const data = new DataView(bytes.buffer, point * facts.stride, facts.stride);
  const name = (label) => facts.legend[label]?.name ?? "unknown";
  const label = data.getUint16(6, true), known = facts.modes.map(([mode]) => mode);
  const place = placeOf(point, { facts, bytes });
  const told = [["label", name(label)]];
  if (known.includes("truth")) told.push(["truth", name(data.getUint16(16, true))]);
  if (facts.scores) {
    const [low, high] = facts.scores, of = (row) => low + ((high - low) * scores[row * facts.points + point]) / 255;
    if (label * facts.points < scores.length) told.push(["score", of(label).toFixed(3)]);
    if (view.mode === "scores") told.push([`score of ${name(view.scored)}`, of(view.scored).toFixed(3)]);
  }
  if (known.includes("superpoints")) told.push(["superpoint", String(data.getUint32(12, true))]);
  const original = [0, 1, 2].map((axis) => place[facts.axes.indexOf(axis)].toFixed(3));
  return [...told, ["x, y, z", original.join(", ")]];
}

function hover(x, y) {
  const point = pick(x, y), tip = element("tip");
  tip.hidden = point === null;
  if (point === null) return;
  tip.textContent = about(point, under(x)).filter(([what]) => !["superpoint", "x, y, z"].includes(what)).map(([, told]) => told).join("  ");
  tip.style.left = `${Math.min(x + 14, innerWidth - tip.offsetWidth - 4)}px`;
  tip.style.top = `${y + 14}px`;
}

function show(point, cloud = current()) { tell(point === null ? [] : about(point, cloud)); }

function tell(pairs) {
  const list = element("picked");
  list.replaceChildren();
  list.hidden = !pairs.length;
  for (const pair of pairs) {
    pair.forEach((text, i) => list.append(Object.assign(document.createElement(i ? "dd" : "dt"), { textContent: text })));
  }
}

function measure(point, cloud) { // from the first of two points to the second, in the unit of the file
  if (point === null) return;
  if (measured.length > 1) measured.length = 0;
  const { facts, bytes } = cloud, data = new DataView(bytes.buffer, point * facts.stride, facts.stride);
  const inPage = facts.extent.map((size, i) => size * (data.getUint16(2 * i, true) / 65535 - 0.5));
  measured.push({ inPage, place: placeOf(point, cloud), axes: facts.axes });
  if (measured.length < 2) { tell([["distance", "click another point"]]); return; }
  const [from, to] = measured, apart = to.place.map((each, i) => each - from.place[i]);
  const original = [0, 1, 2].map((axis) => apart[from.axes.indexOf(axis)].toFixed(3));
  tell([["distance", Math.hypot(...apart).toFixed(3)], ["dx, dy, dz", original.join(", ")]]);
}

function placeRuler() {
  const line = element("ruler").firstElementChild, is = measured.length > 1;
  line.toggleAttribute("hidden", !is);
  if (!is) return;
  const m = camera(...ends());
  measured.forEach(({ inPage: [x, y, z] }, i) => {
    const row = (at) => m[at] * x + m[4 + at] * y + m[8 + at] * z + m[12 + at];
    line.setAttribute(`x${i + 1}`, ((row(0) / row(3) + 1) / 2) * innerWidth);
    line.setAttribute(`y${i + 1}`, ((1 - row(1) / row(3)) / 2) * innerHeight);
  });
}

function setMeasuring(is) {
  view.isMeasuring = is;
  measured.length = 0;
  element("measure").setAttribute("aria-pressed", is);
  tell(is ? [["distance", "click two points"]] : []);
  draw();
}

function turn(right, down) {
  view.yaw -= 0.006 * right;
  view.pitch = Math.max(-1.5, Math.min(1.5, view.pitch + 0.006 * down));
}
function move(right, down) {
  const [x, y] = axes(), step = (2 * view.distance * Math.tan(FIELD_OF_VIEW / 2)) / innerHeight;
  view.target = view.target.map((each, i) => each - step * (right * x[i] - down * y[i]));
}
function zoom(factor) { view.distance = Math.max(0.05, Math.min(12, view.distance * factor)); }

function listen() {
  const fingers = new Map();
  const middle = () => { const all = [...fingers.values()]; return all.reduce(([x, y], at) => [x + at[0] / all.length, y + at[1] / all.length], [0, 0]); };
  const spread = () => { const [a, b] = [...fingers.values()]; return b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : 0; };
  let moved = 0, waiting = false;
  canvas.addEventListener("pointerdown", (event) => { moved = 0; element("tip").hidden = true; canvas.setPointerCapture(event.pointerId); fingers.set(event.pointerId, [event.clientX, event.clientY]); });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
  canvas.addEventListener("click", (event) => {
    if (moved >= 4) return;
    const { clientX: x, clientY: y } = event;
    (view.isMeasuring ? measure : show)(pick(x, y), under(x));
    draw();
  });
  canvas.addEventListener("pointerleave", () => { element("tip").hidden = true; });
  canvas.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; if (!fingers.size) hover(event.clientX, event.clientY); });
      return;
    }
    moved += Math.abs(event.movementX) + Math.abs(event.movementY);
    const [before, apart] = [middle(), spread()];
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    const after = middle(), [right, down] = [after[0] - before[0], after[1] - before[1]];
    if (fingers.size > 1) { move(right, down); if (apart) zoom(apart / spread()); }
    else if (event.buttons & 6 || event.shiftKey || event.ctrlKey) move(right, down);
    else turn(right, down);
    draw();
  });
  canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoom(Math.exp(0.0012 * event.deltaY)); draw(); }, { passive: false });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("dblclick", () => { Object.assign(view, home()); draw(); });
  addEventListener("resize", draw);
  element("size").addEventListener("input", (event) => { view.size = Number(event.target.value); draw(); });
  element("cut").addEventListener("input", (event) => { view.cut = Number(event.target.value); draw(); });
  element("least").addEventListener("input", (event) => { view.least = Number(event.target.value); draw(); });
  element("split").addEventListener("input", (event) => { view.split = Number(event.target.value); draw(); });
  element("measure").addEventListener("click", () => setMeasuring(!view.isMeasuring));
  element("boxes").addEventListener("click", () => { view.hasBoxes = !view.hasBoxes; element("boxes").setAttribute("aria-pressed", view.hasBoxes); draw(); });
  element("keys").addEventListener("click", () => element("help").showModal());
  element("help").addEventListener("click", () => element("help").close());
  addEventListener("keydown", press);
  element("save").addEventListener("click", () => { paint(); canvas.toBlob((blob) => Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: `${document.title}.png` }).click()); });
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || ["INPUT", "SELECT"].includes(event.target.tagName)) return;
  const click = (mode) => document.querySelector(`[data-mode=${mode}]`)?.click();
  const larger = (by) => { view.size = Math.max(0.3, Math.min(4, view.size * by)); element("size").value = view.size; };
  const keys = {
    ArrowLeft: () => turn(-30, 0), ArrowRight: () => turn(30, 0), ArrowUp: () => turn(0, -30), ArrowDown: () => turn(0, 30),
    "+": () => zoom(0.87), "=": () => zoom(0.87), "-": () => zoom(1.15), "[": () => larger(0.87), "]": () => larger(1.15),
    0: () => Object.assign(view, home()), t: () => click(view.mode === "truth" ? "labels" : "truth"),
    s: () => element("save").click(), "?": () => element("help").showModal(),
    Escape: () => (view.isMeasuring ? setMeasuring(false) : show(null)), m: () => setMeasuring(!view.isMeasuring),
    b: () => element("boxes").click(),
    n: () => choose(all.indexOf(facts) + 1), p: () => choose(all.indexOf(facts) - 1),
    c: () => compare(view.other === null && all.length > 1 ? (all.indexOf(facts) + 1) % all.length : null),
  };
  facts.modes.forEach(([mode], i) => { keys[i + 1] = () => click(mode); });
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
  draw();
}

function choose(number) { // show that cloud and what is known of it
  const at = (number + all.length) % all.length;
  facts = all[at];
  if (!facts.modes.some(([mode]) => mode === view.mode)) view.mode = facts.modes[0][0];
  if (view.other === at) view.other = null;
  element("note").textContent = facts.note;
  element("cloud").value = at;
  element("other").value = view.other ?? "";
  show(null);
  addModes();
  addLegend();
  addScores();
  compare(view.other);
}

function compare(other) { // with another cloud at the right of this one
  view.other = other;
  element("other").value = other ?? "";
  element("divide").hidden = other === null;
  draw();
}

function addClouds() {
  element("clouds").hidden = all.length < 2;
  element("boxes").hidden = !all.some(({ boxes }) => boxes.length);
  const option = (value, textContent) => Object.assign(document.createElement("option"), { value, textContent });
  element("other").append(option("", "nothing"));
  all.forEach(({ title }, i) => ["cloud", "other"].forEach((id) => element(id).append(option(i, title))));
  element("cloud").addEventListener("change", (event) => choose(Number(event.target.value)));
  element("other").addEventListener("change", ({ target }) => compare(target.value === "" ? null : Number(target.value)));
  element("scored").addEventListener("change", (event) => { view.scored = Number(event.target.value); showScores(); draw(); });
  const tick = (all) => {
    facts.legend.forEach(({ name }) => (all ? hidden.delete(name) : hidden.add(name)));
    addLegend();
    draw();
  };
  element("all").addEventListener("click", () => tick(true));
  element("none").addEventListener("click", () => tick(false));
}

function addScores() {
  element("below").hidden = !facts.scores;
  element("scored").replaceChildren();
  if (!facts.scores) return;
  const { scores } = current();
  facts.legend.forEach(({ name }, i) => {
    if (i * facts.points < scores.length) element("scored").append(Object.assign(document.createElement("option"), { value: i, textContent: name }));
  });
  view.scored = 0;
  showScores();
}

function addModes() {
  element("modes").replaceChildren();
  for (const [mode, text] of facts.modes) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    button.dataset.mode = mode;
    button.addEventListener("click", () => { view.mode = mode; mark(); draw(); });
    element("modes").append(button);
  }
  const mark = () => {
    for (const button of element("modes").children) button.setAttribute("aria-pressed", button.dataset.mode === view.mode);
    element("heat").hidden = view.mode !== "scores";
  };
  mark();
}

function addLegend() {
  element("legend").replaceChildren();
  const boxes = facts.legend.map(({ name, rgb, count }) => {
    const row = document.createElement("label"), box = document.createElement("input"), swatch = document.createElement("i");
    const [title, amount] = ["name", "count"].map((kind) => Object.assign(document.createElement("span"), { className: kind }));
    Object.assign(box, { type: "checkbox", checked: !hidden.has(name) });
    swatch.style.background = `rgb(${rgb})`;
    title.textContent = name; // text, never markup
    amount.textContent = `${count.toLocaleString("en")}  ${((100 * count) / facts.total).toFixed(1)}%`;
    row.className = count ? "" : "empty";
    row.append(box, swatch, title, amount);
    box.addEventListener("change", () => { box.checked ? hidden.delete(name) : hidden.add(name); draw(); });
    return { row, count };
  });
  for (const { row } of [...boxes].sort((a, b) => b.count - a.count)) {
    const item = document.createElement("li");
    item.append(row);
    element("legend").append(item);
  }
}

let points, numbers, shade, lines, offscreen, numbered;
const clouds = []; // each with what is said of it, its bytes, and where they lie on the card
if (!gl) {
  element("failure").hidden = false;
  element("failure").textContent = "This browser has no WebGL 2, which the points are drawn with. The .ply beside this page opens in any viewer.";
} else {
  [points, numbers, shade, lines] = [program(POINTS, DISCS), program(POINTS, NUMBERS), program(SCREEN, SHADE), program(CORNERS, INK)];
  const [bytes, scores] = [decoded("points"), decoded("scores")];
  all.forEach((each, i) => clouds.push(upload(each, bytes[i], scores[i])));
  [offscreen, numbered] = [gl.createFramebuffer(), gl.createFramebuffer()];
  texture(0);
  const [colors, depths, marks] = [texture(1), texture(2), texture(3)];
  fit();
  gl.bindFramebuffer(gl.FRAMEBUFFER, numbered);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, marks, 0);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.DEPTH_ATTACHMENT, gl.TEXTURE_2D, depths, 0);
  gl.bindFramebuffer(gl.FRAMEBUFFER, offscreen);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, colors, 0);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.DEPTH_ATTACHMENT, gl.TEXTURE_2D, depths, 0);
  addClouds();
  listen();
  choose(0);
}
