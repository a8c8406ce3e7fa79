// What has a button and little more: the strip of costs, the connection, codings, files, Connect,
// and the server's own clients.
import assert from 'node:assert/strict';
import { check, counted, data, expectComplaint, logged, text } from './harness.mjs';

export async function panels(page) {
  const secure = page.url().startsWith('https');

  await check('the strip has what a task costs by each protocol', async () => {
    await page.click('#cost-run');
    await page.waitForSelector('#cost-state[data-state=open]');
    const rows = await page.locator('#cost-rows li').evaluateAll(lines => lines.map(line => ({ ...line.dataset })));
    assert.deepEqual(rows.map(row => row.protocol), ['HTTP/1.1', 'HTTP/2', 'WebSocket', 'gRPC', 'gRPC-Web', 'Connect', 'GraphQL']);
    for (const row of rows) {
      assert.equal(row.failed, undefined, row.protocol);
      for (const what of ['up', 'down', 'microseconds']) assert.ok(Number(row[what]) > 0, `${row.protocol}: ${what} ${row[what]}`);
    }
    // A frame from a client has 6 bytes ahead of the 10 of the question.
    assert.equal(rows.find(row => row.protocol === 'WebSocket').up, '16');
  });
  await check('the connection says what was agreed on', async () => {
    await counted(page, 'connection-facts', () => page.click('#connection-ask'));
    const { http, tls } = await page.locator('#connection-facts').evaluate(list => ({ ...list.dataset }));
    assert.deepEqual([http, tls], secure ? ['HTTP/2', 'TLS 1.3'] : ['HTTP/1.1', '']);
    assert.equal(/--tls/.test(await text(page, 'connection-note')), !secure);
  });
  await check('codings are compared, and the browser names its own', async () => {
    await page.click('#codings-run');
    await page.waitForSelector('#codings-rows[data-mine]');
    const rows = await page.locator('#codings-rows li').evaluateAll(lines => lines.map(({ dataset }) => [dataset.coding, Number(dataset.bytes)]));
    assert.deepEqual(rows.map(([coding]) => coding), ['identity', 'gzip', 'br', 'zstd']);
    for (const [coding, bytes] of rows.slice(1)) assert.ok(bytes < rows[0][1] / 4, `${coding}: ${bytes} of ${rows[0][1]}`);
    assert.notEqual(await data(page, 'codings-rows', 'mine'), 'identity');
  });
  for (const [kind, status, content] of [['whole', 200, 'abcdefghijklmnopqrstuvwxyz'], ['range', 206, 'bytes 3-7/27 defgh'], ['changed', 304, '']]) {
    await check(`files: ${kind}`, async () => {
      const line = await logged(page, 'files-log', `[data-file=${kind}]`, () => page.click(`[data-file=${kind}]`));
      assert.equal(line.data.kind, String(status));
      assert.ok(line.text.includes(content), line.text);
    });
  }
  for (const kind of ['POST', 'GET']) {
    await check(`Connect: GetUser by ${kind}`, async () => {
      await page.selectOption('#connect-kind', kind);
      await page.fill('#connect-id', '1');
      const line = await logged(page, 'connect-log', `[data-call=${kind}]`, () => page.click('#connect-call'));
      assert.match(line.text, /"name":"Ada Lovelace"/);
      await page.fill('#connect-id', 'nobody');
      const refused = await logged(page, 'connect-log', '[data-way=fault]', () => page.click('#connect-call'));
      assert.match(refused.text, /404.*"code":"not_found"/);
      await expectComplaint(/status of 404.*GetUser/);
    });
  }
  await check("Connect: a server's stream ends with an empty message", async () => {
    await page.selectOption('#connect-kind', 'stream');
    await logged(page, 'connect-log', '[data-call=stream]', () => page.click('#connect-call'), 'Ada Lovelace');
    await logged(page, 'connect-log', '[data-call=stream]', () => page.click('#connect-call'), '{}');
  });
  await check("the server's own client calls over gRPC", async () => {
    const line = await logged(page, 'own-log', '[data-own=grpc]', () => page.click('[data-own=grpc]'));
    assert.match(line.text, /\d messages: Ada Lovelace, /);
  });
  await check("the server's own client asks over HTTP/2", async () => {
    const line = await logged(page, 'own-log', '[data-own=http2]', () => page.click('[data-own=http2]'), 'requests');
    assert.match(line.text, /3 requests on 1 connection$/);
    assert.equal(await page.locator('#own-log [data-own=http2]', { hasText: 'GET /' }).count() % 3, 0);
  });
}
