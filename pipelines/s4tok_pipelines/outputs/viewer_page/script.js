"use strict";
const FIELD_OF_VIEW = Math.PI / 4, ROW = 256; // labels a row of the legend's texture
const element = (id) => document.getElementById(id);
const facts = JSON.parse(element("facts").textContent);
const canvas = element("scene");
const gl = canvas.getContext("webgl2", { antialias: false, preserveDrawingBuffer: true });
const home = () => ({ yaw: 0.62, pitch: facts.elevation, distance: 2.5 / fill(), target: [0, 0, 0] });
// The share of the window's width and height that the panel covers: its left, or its lower end where it is narrow.
const covered = () => (innerWidth > 640 ? [320 / innerWidth, 0] : [0, 0.42]);
const fill = () => { const [left, low] = covered(); return Math.min(1 - low, (innerWidth * (1 - left)) / innerHeight); };
const view = { ...home(), mode: "labels", size: 1, cut: 0, shown: facts.legend.map(() => true) };

const POINTS = `#version 300 es
in vec3 place; in uint label; in vec3 photo; in uint superpoint;
uniform mat4 camera; uniform vec3 extent; uniform float size, pixel, cut; uniform int mode; uniform sampler2D legend;
out vec3 color; out vec2 span; // the point's distance and radius
vec3 wheel(uint number) {
  float hue = fract(float(number) * 0.618034) * 6.0, strength = 0.45 + 0.1 * float(number % 4u);
  vec3 pure = clamp(abs(mod(hue + vec3(0, 4, 2), 6.0) - 3.0) - 1.0, 0.0, 1.0);
  return (0.65 + 0.1 * float(number % 3u)) * mix(vec3(1), pure, strength);
}
void main() {
  vec4 row = texelFetch(legend, ivec2(int(label) % ${ROW}, int(label) / ${ROW}), 0);
  color = mode == 0 ? row.rgb : mode == 1 ? photo : wheel(superpoint);
  gl_Position = camera * vec4((place - 0.5) * extent, 1);
  gl_PointSize = clamp(size / gl_Position.w, 1.0, 80.0);
  span = vec2(gl_Position.w, gl_PointSize * gl_Position.w * pixel);
  if (row.a < 0.5 || place.z > cut) gl_Position = vec4(2, 2, 2, 1); // outside what is drawn
}`;
// Discs bulge, so that neighbours meet half way and not one over the other.
const DISCS = `#version 300 es
precision highp float;
in vec3 color; in vec2 span; uniform float near, far;
out vec4 seen;
void main() {
  float off = 4.0 * dot(gl_PointCoord - 0.5, gl_PointCoord - 0.5);
  if (off > 1.0) discard;
  float away = span.x + span.y * off;
  gl_FragDepth = far * (away - near) / (away * (far - near));
  seen = vec4(color, 1);
}`;
const SCREEN = `#version 300 es
void main() { gl_Position = vec4(vec2((gl_VertexID << 1) & 2, gl_VertexID & 2) * 2.0 - 1.0, 0, 1); }`;
// Eye-dome lighting: a point in front of nothing but farther neighbours stays bright, edges and hollows darken.
const SHADE = `#version 300 es
precision highp float;
uniform sampler2D colors, depths; uniform float reach, near, far; uniform vec2 middle;
out vec4 seen;
float away(ivec2 at) {
  float depth = texelFetch(depths, clamp(at, ivec2(0), textureSize(depths, 0) - 1), 0).r;
  return log2(near * far / (far - depth * (far - near)));
}
void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  vec4 color = texelFetch(colors, at, 0);
  float fade = distance(gl_FragCoord.xy, middle) / length(middle);
  vec3 backdrop = mix(vec3(0.16, 0.175, 0.2), vec3(0.07, 0.078, 0.09), fade);
  if (color.a < 0.5) { seen = vec4(backdrop, 1); return; }
  float here = away(at), hidden = 0.0;
  for (int i = 0; i < 8; i++) {
    float turn = 0.785398 * float(i);
    hidden += max(0.0, here - away(at + ivec2(round(reach * vec2(cos(turn), sin(turn))))));
  }
  seen = vec4(color.rgb * exp(-min(1.6, 40.0 * max(0.0, hidden / 8.0 - 0.001))), 1);
}`;

function program(vertex, fragment) {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  return made;
}

function upload(points) {
  const bytes = Uint8Array.from(atob(element("points").textContent.trim()), (letter) => letter.charCodeAt(0));
  element("points").remove();
  gl.bindVertexArray(gl.createVertexArray());
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, bytes, gl.STATIC_DRAW);
  const at = (name) => gl.getAttribLocation(points, name);
  for (const name of ["place", "label", "photo", "superpoint"]) gl.enableVertexAttribArray(at(name));
  gl.vertexAttribPointer(at("place"), 3, gl.UNSIGNED_SHORT, true, facts.stride, 0);
  gl.vertexAttribIPointer(at("label"), 1, gl.UNSIGNED_SHORT, facts.stride, 6);
  gl.vertexAttribPointer(at("photo"), 3, gl.UNSIGNED_BYTE, true, facts.stride, 8);
  gl.vertexAttribIPointer(at("superpoint"), 1, gl.UNSIGNED_INT, facts.stride, 12);
}

function texture(unit) {
  const made = gl.createTexture();
  gl.activeTexture(gl.TEXTURE0 + unit);
  gl.bindTexture(gl.TEXTURE_2D, made);
  for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
  return made;
}

function fillLegend() {
  const rows = Math.ceil(facts.legend.length / ROW), table = new Uint8Array(4 * ROW * rows);
  facts.legend.forEach(({ rgb }, i) => table.set([...rgb, view.shown[i] ? 255 : 0], 4 * i));
  gl.activeTexture(gl.TEXTURE0);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, ROW, rows, 0, gl.RGBA, gl.UNSIGNED_BYTE, table);
  draw();
}

function fit() {
  const sharp = Math.min(devicePixelRatio || 1, 2);
  const width = Math.max(1, Math.round(innerWidth * sharp)), height = Math.max(1, Math.round(innerHeight * sharp));
  if (canvas.width === width && canvas.height === height && fit.done) return;
  [canvas.width, canvas.height, fit.done] = [width, height, true];
  gl.activeTexture(gl.TEXTURE1);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
  gl.activeTexture(gl.TEXTURE2);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.DEPTH_COMPONENT24, width, height, 0, gl.DEPTH_COMPONENT, gl.UNSIGNED_INT, null);
}

function axes() { // of the camera, in the frame of the points: right, up, backwards
  const [sy, cy, sp, cp] = [Math.sin(view.yaw), Math.cos(view.yaw), Math.sin(view.pitch), Math.cos(view.pitch)];
  return [[cy, sy, 0], [-sy * sp, cy * sp, cp], [sy * cp, -cy * cp, sp]];
}

function camera(near, far) {
  const [right, up, back] = axes(), zoom = 1 / Math.tan(FIELD_OF_VIEW / 2), wide = canvas.width / canvas.height;
  const eye = view.target.map((each, i) => each + view.distance * back[i]);
  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const [left, low] = covered(); // the points stand in the middle of what the panel leaves
  const rows = [[right, zoom / wide], [up, zoom]].map(([axis, by]) => [...axis.map((each) => each * by), -by * dot(axis, eye)]);
  const w = [...back.map((each) => -each), dot(back, eye)];
  const a = (far + near) / (far - near), b = (2 * far * near) / (far - near);
  const z = w.map((each, i) => a * each - (i === 3 ? b : 0));
  [left, low].forEach((share, row) => { rows[row] = rows[row].map((each, i) => each + share * w[i]); });
  return new Float32Array([0, 1, 2, 3].flatMap((column) => [rows[0][column], rows[1][column], z[column], w[column]]));
}

let asked = false;
function draw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => { asked = false; paint(); });
}

function paint() {
  fit();
  const near = Math.max(0.002, view.distance - 2.2), far = view.distance + 3 + Math.hypot(...view.target);
  gl.viewport(0, 0, canvas.width, canvas.height);
  gl.bindFramebuffer(gl.FRAMEBUFFER, offscreen);
  gl.clearColor(0, 0, 0, 0);
  gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
  gl.enable(gl.DEPTH_TEST);
  gl.useProgram(points);
  gl.uniformMatrix4fv(of(points, "camera"), false, camera(near, far));
  gl.uniform3fv(of(points, "extent"), facts.extent);
  const pixel = (2 * Math.tan(FIELD_OF_VIEW / 2)) / canvas.height; // what one spans at distance 1
  gl.uniform1f(of(points, "pixel"), pixel);
  gl.uniform1f(of(points, "size"), (view.size * facts.spacing) / pixel);
  gl.uniform1f(of(points, "near"), near);
  gl.uniform1f(of(points, "far"), far);
  gl.uniform1f(of(points, "cut"), 1 - view.cut);
  gl.uniform1i(of(points, "mode"), ["labels", "color", "superpoints"].indexOf(view.mode));
  gl.uniform1i(of(points, "legend"), 0);
  gl.drawArrays(gl.POINTS, 0, facts.points);
  gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  gl.disable(gl.DEPTH_TEST);
  gl.useProgram(shade);
  gl.uniform1i(of(shade, "colors"), 1);
  gl.uniform1i(of(shade, "depths"), 2);
  gl.uniform1f(of(shade, "reach"), 1.4 * Math.min(devicePixelRatio || 1, 2));
  gl.uniform1f(of(shade, "near"), near);
  gl.uniform1f(of(shade, "far"), far);
  gl.uniform2f(of(shade, "middle"), canvas.width / 2, canvas.height / 2);
  gl.drawArrays(gl.TRIANGLES, 0, 3);
}
const of = (made, name) => gl.getUniformLocation(made, name);

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
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); fingers.set(event.pointerId, [event.clientX, event.clientY]); });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
  canvas.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
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
  element("save").addEventListener("click", () => { paint(); canvas.toBlob((blob) => Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: `${facts.title}.png` }).click()); });
}

function addModes() {
  for (const [mode, text] of facts.modes) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    button.dataset.mode = mode;
    button.addEventListener("click", () => { view.mode = mode; press(); draw(); });
    element("modes").append(button);
  }
  const press = () => { for (const button of element("modes").children) button.setAttribute("aria-pressed", button.dataset.mode === view.mode); };
  press();
}

function addLegend() {
  const boxes = facts.legend.map(({ name, rgb, count }, i) => {
    const row = document.createElement("label"), box = document.createElement("input"), swatch = document.createElement("i");
    const [title, amount] = ["name", "count"].map((kind) => Object.assign(document.createElement("span"), { className: kind }));
    Object.assign(box, { type: "checkbox", checked: true });
    swatch.style.background = `rgb(${rgb})`;
    title.textContent = name; // text, never markup
    amount.textContent = `${count.toLocaleString("en")}  ${((100 * count) / facts.total).toFixed(1)}%`;
    row.className = count ? "" : "empty";
    row.append(box, swatch, title, amount);
    box.addEventListener("change", () => { view.shown[i] = box.checked; fillLegend(); });
    return { box, row, count };
  });
  for (const { row } of [...boxes].sort((a, b) => b.count - a.count)) {
    const item = document.createElement("li");
    item.append(row);
    element("legend").append(item);
  }
  const tick = (all) => { boxes.forEach(({ box }, i) => { box.checked = view.shown[i] = all; }); fillLegend(); };
  element("all").addEventListener("click", () => tick(true));
  element("none").addEventListener("click", () => tick(false));
}

element("note").textContent = facts.note;
let points, shade, offscreen;
if (!gl) {
  element("failure").hidden = false;
  element("failure").textContent = "This browser has no WebGL 2, which the points are drawn with. The .ply beside this page opens in any viewer.";
} else {
  [points, shade] = [program(POINTS, DISCS), program(SCREEN, SHADE)];
  upload(points);
  offscreen = gl.createFramebuffer();
  texture(0);
  const [colors, depths] = [texture(1), texture(2)];
  fit();
  gl.bindFramebuffer(gl.FRAMEBUFFER, offscreen);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, colors, 0);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.DEPTH_ATTACHMENT, gl.TEXTURE_2D, depths, 0);
  addModes();
  addLegend();
  listen();
  fillLegend();
}
