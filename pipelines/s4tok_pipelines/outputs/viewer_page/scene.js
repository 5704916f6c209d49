"use strict";
const FIELD_OF_VIEW = Math.PI / 4, ROW = 256; // labels a row of the legend's texture
const element = (id) => document.getElementById(id);
const all = JSON.parse(element("facts").textContent); // what is said of each cloud
let facts = all[0]; // of the one whose panel is shown
const current = () => clouds[all.indexOf(facts)];
const canvas = element("scene");
const gl = canvas.getContext("webgl2", { antialias: false, preserveDrawingBuffer: true });
const home = () => ({ yaw: 0.62, pitch: facts.elevation, distance: 2.5 / fill(), target: [0, 0, 0] });
// The share of the window's width and height that the panel covers: its left, or its lower end where it is narrow.
const covered = () => (innerWidth > 640 ? [320 / innerWidth, 0] : [0, 0.42]);
const fill = () => { const [left, low] = covered(); return Math.min(1 - low, (innerWidth * (1 - left)) / innerHeight); };
const MODES = ["labels", "color", "superpoints", "truth", "scores"]; // as the shader numbers them
const view = { ...home(), mode: facts.modes[0][0], size: 1, cut: 0, least: 0, scored: 0, other: null, split: 0.5, isMeasuring: false, hasBoxes: true };
const hidden = new Set(); // names that are switched off, in every cloud
const measured = []; // two points: their places in the frame of the page, and in the file

const ATTRIBUTES = ["place", "label", "photo", "best", "superpoint", "truth", "score"];
const POINTS = `#version 300 es
in vec3 place; in uint label; in vec3 photo; in float best; in uint superpoint; in uint truth; in float score;
uniform mat4 camera; uniform vec3 extent; uniform float size, pixel, cut, least; uniform int mode;
uniform sampler2D legend;
out vec3 color; out vec2 span; // the point's distance and radius
flat out uint number;
vec3 heat(float share) {
  vec3 low = mix(vec3(0.10, 0.06, 0.32), vec3(0.13, 0.55, 0.55), clamp(2.0 * share, 0.0, 1.0));
  return mix(low, vec3(0.99, 0.90, 0.15), clamp(2.0 * share - 1.0, 0.0, 1.0));
}
vec3 wheel(uint number) {
  float hue = fract(float(number) * 0.618034) * 6.0, strength = 0.45 + 0.1 * float(number % 4u);
  vec3 pure = clamp(abs(mod(hue + vec3(0, 4, 2), 6.0) - 3.0) - 1.0, 0.0, 1.0);
  return (0.65 + 0.1 * float(number % 3u)) * mix(vec3(1), pure, strength);
}
void main() {
  int which = int(mode == 3 ? truth : label);
  vec4 row = texelFetch(legend, ivec2(which % ${ROW}, which / ${ROW}), 0);
  color = mode == 1 ? photo : mode == 2 ? wheel(superpoint) : mode == 4 ? heat(score) : row.rgb;
  if (best < least && mode != 3) color = vec3(0.35);
  number = uint(gl_VertexID) + 1u;
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
// The same discs, each in the colour that its number makes.
const NUMBERS = `#version 300 es
precision highp float;
flat in uint number; in vec2 span; uniform float near, far;
out vec4 seen;
void main() {
  float off = 4.0 * dot(gl_PointCoord - 0.5, gl_PointCoord - 0.5);
  if (off > 1.0) discard;
  float away = span.x + span.y * off;
  gl_FragDepth = far * (away - near) / (away * (far - near));
  seen = vec4(number & 255u, (number >> 8) & 255u, (number >> 16) & 255u, number >> 24) / 255.0;
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
const CORNERS = `#version 300 es
in vec3 corner; uniform mat4 camera;
void main() { gl_Position = camera * vec4(corner, 1); }`;
const INK = `#version 300 es
precision highp float;
uniform vec3 ink;
out vec4 seen;
void main() { seen = vec4(ink, 1); }`;
// Corners of a box are numbered by three bits, one a side; an edge joins two that differ in one.
const EDGES = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((from) => [1, 2, 4].filter((bit) => !(from & bit)).flatMap((bit) => [from, from | bit]));

function program(vertex, fragment) {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(made, shader);
  }
  // Both programs that draw points read the same attributes at the same places.
  ATTRIBUTES.forEach((name, at) => gl.bindAttribLocation(made, at, name));
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made));
  return made;
}

function decoded(id) { // of each cloud
  const texts = element(id).textContent.trim().split(" ");
  element(id).remove();
  return texts.map((text) => (text === "-" ? new Uint8Array() : Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))));
}

function upload(facts, bytes, scores) {
  const array = gl.createVertexArray(), scored = gl.createBuffer();
  gl.bindVertexArray(array);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, bytes, gl.STATIC_DRAW);
  const at = (name) => ATTRIBUTES.indexOf(name);
  ATTRIBUTES.forEach((_, place) => gl.enableVertexAttribArray(place));
  gl.vertexAttribPointer(at("place"), 3, gl.UNSIGNED_SHORT, true, facts.stride, 0);
  gl.vertexAttribIPointer(at("label"), 1, gl.UNSIGNED_SHORT, facts.stride, 6);
  gl.vertexAttribPointer(at("photo"), 3, gl.UNSIGNED_BYTE, true, facts.stride, 8);
  gl.vertexAttribPointer(at("best"), 1, gl.UNSIGNED_BYTE, true, facts.stride, 11);
  gl.vertexAttribIPointer(at("superpoint"), 1, gl.UNSIGNED_INT, facts.stride, 12);
  gl.vertexAttribIPointer(at("truth"), 1, gl.UNSIGNED_SHORT, facts.stride, 16);
  gl.bindBuffer(gl.ARRAY_BUFFER, scored);
  gl.bufferData(gl.ARRAY_BUFFER, facts.points, gl.DYNAMIC_DRAW);
  gl.vertexAttribPointer(at("score"), 1, gl.UNSIGNED_BYTE, true, 1, 0);
  return { facts, bytes, scores, array, scored, edges: uploadEdges(facts) };
}

function uploadEdges({ boxes }) {
  const array = gl.createVertexArray(), at = gl.getAttribLocation(lines, "corner");
  gl.bindVertexArray(array);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  const ends = boxes.flatMap(({ corners }) => EDGES.flatMap((corner) => corners.slice(3 * corner, 3 * corner + 3)));
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(ends), gl.STATIC_DRAW);
  gl.enableVertexAttribArray(at);
  gl.vertexAttribPointer(at, 3, gl.FLOAT, false, 0, 0);
  return array;
}

function showScores() { // of the label that is chosen
  for (const { facts, scores, scored } of clouds) {
    if (!facts.scores || (view.scored + 1) * facts.points > scores.length) continue;
    gl.bindBuffer(gl.ARRAY_BUFFER, scored);
    gl.bufferSubData(gl.ARRAY_BUFFER, 0, scores.subarray(view.scored * facts.points, (view.scored + 1) * facts.points));
  }
}

function texture(unit) {
  const made = gl.createTexture();
  gl.activeTexture(gl.TEXTURE0 + unit);
  gl.bindTexture(gl.TEXTURE_2D, made);
  for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
  return made;
}

function fillLegend(facts) {
  const rows = Math.ceil((facts.legend.length + 1) / ROW), table = new Uint8Array(4 * ROW * rows);
  for (let i = 0; i < ROW * rows; i++) table.set([150, 150, 150, 255], 4 * i); // truth that is not known
  facts.legend.forEach(({ rgb, name }, i) => table.set([...rgb, hidden.has(name) ? 0 : 255], 4 * i));
  gl.activeTexture(gl.TEXTURE0);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, ROW, rows, 0, gl.RGBA, gl.UNSIGNED_BYTE, table);
}

function fit() {
  const sharp = Math.min(devicePixelRatio || 1, 2);
  const width = Math.max(1, Math.round(innerWidth * sharp)), height = Math.max(1, Math.round(innerHeight * sharp));
  if (canvas.width === width && canvas.height === height && fit.done) return;
  [canvas.width, canvas.height, fit.done] = [width, height, true];
  gl.activeTexture(gl.TEXTURE1);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
  gl.activeTexture(gl.TEXTURE3);
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

function ends() { return [Math.max(0.002, view.distance - 2.2), view.distance + 3 + Math.hypot(...view.target)]; }

function paint() {
  fit();
  const [near, far] = ends();
  gl.bindFramebuffer(gl.FRAMEBUFFER, offscreen);
  gl.enable(gl.SCISSOR_TEST);
  for (const { cloud, from, to } of parts()) {
    gl.scissor(from, 0, to - from, canvas.height);
    drawPoints(points, near, far, cloud);
  }
  gl.disable(gl.SCISSOR_TEST);
  placeRuler();
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
  gl.enable(gl.SCISSOR_TEST);
  for (const { cloud, from, to } of parts()) {
    gl.scissor(from, 0, to - from, canvas.height);
    drawBoxes(near, far, cloud);
  }
  gl.disable(gl.SCISSOR_TEST);
}

function drawBoxes(near, far, { facts, edges }) { // over the points, in the colours of their labels
  if (!view.hasBoxes) return;
  gl.bindVertexArray(edges);
  gl.useProgram(lines);
  gl.uniformMatrix4fv(of(lines, "camera"), false, camera(near, far));
  facts.boxes.forEach((box, i) => {
    const { rgb, name } = facts.legend[box.label];
    if (hidden.has(name) || box.true !== (view.mode === "truth")) return;
    gl.uniform3fv(of(lines, "ink"), rgb.map((each) => 0.35 + (0.65 * each) / 255));
    gl.drawArrays(gl.LINES, i * EDGES.length, EDGES.length);
  });
}

function parts() { // which cloud is drawn from which column of pixels to which
  const whole = canvas.width, [left] = covered();
  if (view.other === null) return [{ cloud: current(), from: 0, to: whole }];
  const middle = Math.round(whole * (left + (1 - left) * view.split));
  return [{ cloud: current(), from: 0, to: middle }, { cloud: clouds[view.other], from: middle, to: whole }];
}

function drawPoints(made, near, far, { facts, array }) {
  fillLegend(facts);
  gl.bindVertexArray(array);
  gl.viewport(0, 0, canvas.width, canvas.height);
  gl.clearColor(0, 0, 0, 0);
  gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
  gl.enable(gl.DEPTH_TEST);
  gl.useProgram(made);
  gl.uniformMatrix4fv(of(made, "camera"), false, camera(near, far));
  gl.uniform3fv(of(made, "extent"), facts.extent);
  const pixel = (2 * Math.tan(FIELD_OF_VIEW / 2)) / canvas.height; // what one spans at distance 1
  gl.uniform1f(of(made, "pixel"), pixel);
  gl.uniform1f(of(made, "size"), (view.size * facts.spacing) / pixel);
  gl.uniform1f(of(made, "near"), near);
  gl.uniform1f(of(made, "far"), far);
  gl.uniform1f(of(made, "cut"), 1 - view.cut);
  gl.uniform1f(of(made, "least"), view.least / 255);
  const isKnown = facts.modes.some(([mode]) => mode === view.mode);
  gl.uniform1i(of(made, "mode"), isKnown ? MODES.indexOf(view.mode) : 0);
  gl.uniform1i(of(made, "legend"), 0);
  gl.drawArrays(gl.POINTS, 0, facts.points);
}
const of = (made, name) => gl.getUniformLocation(made, name);

function under(x) { // the cloud that is drawn in that column
  const at = (x * canvas.width) / innerWidth;
  return (parts().find(({ from, to }) => from <= at && at < to) ?? parts()[0]).cloud;
}

function pick(x, y) { // the number of the point seen there, or none
  fit();
  const scale = canvas.width / innerWidth, radius = 2, side = 2 * radius + 1;
  const [left, low] = [Math.round(x * scale) - radius, canvas.height - 1 - Math.round(y * scale) - radius];
  gl.bindFramebuffer(gl.FRAMEBUFFER, numbered);
  gl.enable(gl.SCISSOR_TEST);
  gl.scissor(left, low, side, side);
  drawPoints(numbers, ...ends(), under(x));
  gl.disable(gl.SCISSOR_TEST);
  const found = new Uint8Array(4 * side * side);
  gl.readPixels(left, low, side, side, gl.RGBA, gl.UNSIGNED_BYTE, found);
  gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  const seen = new Uint32Array(found.buffer), at = (i) => Math.hypot((i % side) - radius, Math.floor(i / side) - radius);
  const near = [...seen.keys()].filter((i) => seen[i]).sort((a, b) => at(a) - at(b));
  return near.length ? seen[near[0]] - 1 : null;
}

