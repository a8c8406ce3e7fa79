// The HTTP/1.1 section: every button, methods, sizes, 404 and 405, and the metrics.
import assert from 'node:assert/strict';
import { PATIENCE, expectComplaint, check, text, data, counted } from './harness.mjs';

async function httpRequest(page, act) {
  await counted(page, 'http-result', act);
  const [status, bytes, time, headers, content, note] = await Promise.all(
    ['http-status', 'http-bytes', 'http-ms', 'http-headers', 'http-content', 'http-note'].map(id => text(page, id)));
  return { status, bytes, time: Number(time), headers, content, note };
}

export async function http(page) {
  const press = (name) => httpRequest(page, () => page.click(`[data-http="${name}"]`));
  const send = (method, path, body) => httpRequest(page, async () => {
    await page.selectOption('#http-method', method);
    await page.fill('#http-path', path);
    if (body !== undefined) await page.fill('#http-body', body);
    await page.click('#http-send');
  });

  await check('http GET /plaintext', async () => {
    const reply = await press('GET /plaintext');
    assert.match(reply.status, /^200\b/);
    assert.equal(reply.content, 'Hello, World!');
    assert.equal(reply.bytes, '13');
    assert.match(reply.headers, /^content-type: text\/plain/m);
    assert.ok(reply.time >= 0 && reply.time < PATIENCE);
  });
  await check('http GET /json', async () => {
    const reply = await press('GET /json');
    assert.match(reply.status, /^200\b/);
    assert.deepEqual(JSON.parse(reply.content), { message: 'Hello, World!' });
    assert.match(reply.headers, /^content-type: application\/json/m);
  });
  await check('http HEAD /json has the length and no body', async () => {
    const reply = await press('HEAD /json');
    assert.match(reply.status, /^200\b/);
    assert.equal(reply.bytes, '0');
    assert.match(reply.headers, /^content-length: 27$/m);
  });
  await check('http POST /echo', async () => {
    const body = await page.inputValue('#http-body');
    const reply = await press('POST /echo');
    assert.match(reply.status, /^200\b/);
    assert.equal(reply.content, body);
    assert.equal(reply.bytes, String(Buffer.byteLength(body)));
  });
  for (const method of ['PUT', 'PATCH', 'DELETE']) {
    await check(`http ${method} /echo`, async () => {
      const reply = await send(method, '/echo', `${method} ✓`);
      assert.match(reply.status, /^200\b/);
      assert.equal(reply.content, `${method} ✓`);
    });
  }
  await check('http POST /echo without a body is an empty 200', async () => {
    const reply = await send('POST', '/echo', '');
    assert.match(reply.status, /^200\b/);
    assert.equal(reply.bytes, '0');
  });
  await check('http OPTIONS /json is answered', async () => {
    const reply = await send('OPTIONS', '/json', '');
    assert.match(reply.status, /^(200|204)\b/);
  });
  for (const size of [0, 1, 65536]) {
    await check(`http GET /bytes/${size}`, async () => {
      const reply = size === 65536 ? await press('GET /bytes/65536') : await send('GET', `/bytes/${size}`);
      assert.match(reply.status, /^200\b/);
      assert.equal(reply.bytes, String(size));
    });
  }
  await check('http 8 MiB through /echo come back identical', async () => {
    const reply = await httpRequest(page, () => page.click('#http-large'));
    assert.match(reply.status, /^200\b/);
    assert.equal(reply.bytes, String(8 << 20));
    assert.match(reply.note, /^identical, \d+ MB\/s$/);
  });
  await check('http 404 has a JSON body', async () => {
    const reply = await send('GET', '/no/such/route');
    assert.match(reply.status, /^404\b/);
    assert.deepEqual(JSON.parse(reply.content), { error: 'Not Found' });
    assert.equal(await data(page, 'http-result', 'ok'), 'no');
    await expectComplaint(/status of 404.*\/no\/such\/route/);
  });
  await check('http 405 names the methods allowed', async () => {
    const reply = await send('DELETE', '/json', '');
    assert.match(reply.status, /^405\b/);
    assert.match(reply.headers, /^allow: .*GET/im);
    assert.deepEqual(JSON.parse(reply.content), { error: 'Method Not Allowed' });
    await expectComplaint(/status of 405.*\/json/);
  });
  await check('metrics are linked and in Prometheus text form', async () => {
    const url = await page.locator('#metrics').evaluate(link => link.href);
    const reply = await page.request.get(url);
    assert.equal(reply.status(), 200);
    assert.match(reply.headers()['content-type'], /^text\/plain/);
    assert.match(await reply.text(), /^# TYPE \S+ (counter|gauge|histogram|summary)$/m);
  });
  // For the screenshot.
  await page.fill('#http-body', 'Hello from the browser ✓');
  await press('POST /echo');
}
