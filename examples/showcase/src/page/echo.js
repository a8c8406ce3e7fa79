// WebSocket echo: replies come in order, so a queue pairs each with what was sent.
let awaited = [], burst = null;
const echo = webSocket('echo', '/ws/echo', heardEcho, () => { awaited = []; burst = null; });
function heardEcho(data, now) {
  const received = typeof data === 'string' ? data : new Uint8Array(data);
  measure('echo', { received: sizeOf(received) });
  if (burst) return heardBurst(received, now);
  const first = awaited.shift();
  const match = first && typeof first.data === typeof received && (typeof received === 'string' ? received === first.data : same(received, first.data));
  if (first) measure('echo', { time: now - first.start });
  const line = log('echo-log', 'down', typeof data === 'string' ? 'text' : 'binary', typeof data === 'string' ? data : hexOf(received.subarray(0, 12)) + (received.length > 12 ? ' …' : ''),
    `${units(sizeOf(received))}  ${ms(now - (first?.start ?? now)).padStart(5)} ms  ${match ? 'same' : 'DIFFERENT'}`);
  line.dataset.match = match ? 'yes' : 'no';
}
function heardBurst(received, now) {
  burst.right += received === `message ${burst.heard++}`;
  if (burst.heard < 1000) return;
  const time = now - burst.start;
  const line = log('echo-log', 'down', 'burst', `${burst.right} of 1000 echoed in order`, `${ms(time)} ms  ${Math.round(1e6 / time).toLocaleString('en')}/s`);
  line.dataset.match = burst.right === 1000 ? 'yes' : 'no';
  burst = null;
}
async function sendEcho(data) {
  if (!await echo.connect() || burst) return;
  const start = performance.now();
  awaited.push({ data, start });
  measure('echo', { sent: sizeOf(data) });
  await echo.send(data);
}
$('echo-text-form').onsubmit = event => { event.preventDefault(); sendEcho($('echo-text').value); };
$('echo-binary-form').onsubmit = event => { event.preventDefault(); sendEcho(randomBytes(Number($('echo-size').value))); };
$('echo-burst').onclick = async () => {
  if (!await echo.connect() || burst || awaited.length) return;
  const messages = Array.from({ length: 1000 }, (_, i) => `message ${i}`);
  burst = { heard: 0, right: 0, start: performance.now() };
  measure('echo', { sent: sizeOf(messages.join('')) });
  await echo.send(...messages);
};
