'use strict';
const $ = id => document.getElementById(id);
const utf8 = new TextEncoder();
const sizeOf = data => typeof data === 'string' ? utf8.encode(data).length : data.byteLength;
const ms = t => t < 100 ? t.toFixed(1) : t.toFixed(0);
const units = n => n < 1024 ? `${n} B` : n < 1 << 20 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / (1 << 20)).toFixed(1)} MiB`;
const element = (tag, text = '', className = '') => Object.assign(document.createElement(tag), { textContent: text, className });
const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

// Meters: payload bytes each way and the last round trips of one protocol.
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const meters = {};
for (const item of document.querySelectorAll('[data-meter]')) {
  item.insertAdjacentHTML('beforeend', `<span class="tap"></span><span class="rtt">– <small>ms</small></span>
    <svg viewBox="0 0 100 18" preserveAspectRatio="none" aria-hidden="true"><polyline/></svg><span class="moved">nothing yet</span>`);
  meters[item.dataset.meter] = { item, sent: 0, received: 0, times: [], due: false };
}
function measure(name, { sent = 0, received = 0, time }) {
  const meter = meters[name];
  meter.sent += sent;
  meter.received += received;
  if (time !== undefined) meter.times = [...meter.times.slice(-39), time];
  if (meter.due) return;
  meter.due = true;
  requestAnimationFrame(() => drawMeter(meter));
}
function drawMeter(meter) {
  const { item, sent, received, times } = meter;
  meter.due = false;
  Object.assign(item.dataset, { sent, received, trips: times.length });
  item.querySelector('.moved').textContent = `↑ ${units(sent)}  ↓ ${units(received)}`;
  if (!calm.matches) item.querySelector('.tap').animate([{ transform: 'scale(2)' }, { transform: 'none' }], 350);
  if (!times.length) return;
  item.querySelector('.rtt').firstChild.data = `${ms(times.at(-1))} `;
  const top = Math.max(...times), step = 100 / Math.max(times.length - 1, 12);
  const points = times.map((time, i) => `${(i * step).toFixed(1)},${(17 - 16 * time / top).toFixed(1)}`);
  item.querySelector('polyline').setAttribute('points', points.length > 1 ? points.join(' ') : `${points[0]} 3,${points[0].split(',')[1]}`);
}

// A log keeps its last 200 lines and follows them unless the reader scrolled up.
function append(list, line) {
  const follows = list.scrollHeight - list.scrollTop - list.clientHeight < 30;
  list.append(line);
  if (list.children.length > 200) list.firstChild.remove();
  if (follows) list.scrollTop = list.scrollHeight;
  return line;
}
function log(list, way, kind, text, note = '') {
  const line = element('p', '', way);
  Object.assign(line.dataset, { way, kind });
  line.append(element('i', way === 'up' ? '↑' : way === 'down' ? '↓' : '·'), element('b', kind), element('span', text), element('small', note));
  return append($(list), line);
}
function setState(id, state, text = state) {
  $(id).dataset.state = state;
  $(id).textContent = text;
}
