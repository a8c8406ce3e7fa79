// Connect with connect-web, which a page of the showcase's origin loads.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { PATIENCE, check } from './harness.mjs';
import { encoded } from '../services.mjs';

const modules = new URL('../node_modules/', import.meta.url);
// Where the checks' own page and the library's files are, on the server's origin.
const PLACE = '/connect-web/';

// What the names of modules stand for, as the packages themselves say.
function imports() {
  const map = {};
  for (const name of ['@bufbuild/protobuf', '@connectrpc/connect', '@connectrpc/connect-web']) {
    const { exports } = JSON.parse(readFileSync(new URL(`${name}/package.json`, modules)));
    for (const [part, { import: found }] of Object.entries(exports)) {
      const file = typeof found === 'string' ? found : found?.default;
      if (file) map[name + part.slice(1)] = `${PLACE}${name}/${file}`.replace('/./', '/');
    }
  }
  return map;
}

async function open(browser, base) {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.route(`**${PLACE}**`, route => {
    const path = new URL(route.request().url()).pathname.slice(PLACE.length);
    if (path === '') {
      const map = JSON.stringify({ imports: imports() });
      return route.fulfill({ contentType: 'text/html', body: `<!doctype html><script type="importmap">${map}</script>` });
    }
    return route.fulfill({ contentType: 'text/javascript', body: readFileSync(new URL(path, modules)) });
  });
  await page.goto(new URL(PLACE, base).href);
  // Clients of both services, for the functions that run in the page.
  await page.evaluate(async ([bytes, base]) => {
    const { createFileRegistry, fromBinary } = await import('@bufbuild/protobuf');
    const { FileDescriptorSetSchema } = await import('@bufbuild/protobuf/wkt');
    const { Code, createClient } = await import('@connectrpc/connect');
    const { createConnectTransport } = await import('@connectrpc/connect-web');
    const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, Uint8Array.from(bytes)));
    globalThis.codes = Code;
    globalThis.client = (name, options) =>
      createClient(registry.getService(name), createConnectTransport({ baseUrl: base, ...options }));
    globalThis.refused = call => call.then(() => 'it succeeded', error => [Code[error.code], error.rawMessage]);
  }, [[...encoded], base]);
  return page;
}

export async function connect(browser, base) {
  const page = await open(browser, base);
  for (const useBinaryFormat of [true, false]) {
    const form = useBinaryFormat ? 'proto' : 'JSON';
    await check(`connect-web: unary calls and GET, ${form}`, async () => {
      const seen = await page.evaluate(async useBinaryFormat => {
        const users = client('user_service.UserService', { useBinaryFormat });
        const gets = client('user_service.UserService', { useBinaryFormat, useHttpGet: true });
        const { id } = await users.createUser({ name: 'Ada ☺', email: `${Math.random()}@example.com`, age: 36 });
        const [posted, got] = [await users.getUser({ id }), await gets.getUser({ id })];
        return [posted.name, got.name, got.age, await refused(gets.getUser({ id: 'nobody' }))];
      }, useBinaryFormat);
      assert.deepEqual(seen.slice(0, 3), ['Ada ☺', 'Ada ☺', 36]);
      assert.equal(seen[3][0], 'NotFound');
    });
    await check(`connect-web: a server's stream, ${form}`, async () => {
      const seen = await page.evaluate(async useBinaryFormat => {
        const test = client('grpc.testing.TestService', { useBinaryFormat });
        const sizes = [];
        const wanted = [{ size: 3 }, { size: 100_000 }, { size: 0, intervalUs: 10_000 }];
        for await (const it of test.streamingOutputCall({ responseParameters: wanted })) sizes.push(it.payload.body.length);
        const status = { code: 10, message: 'enough ☺' };
        const failed = async () => {
          for await (const _ of test.streamingOutputCall({ responseStatus: status }));
        };
        return [sizes, await refused(failed())];
      }, useBinaryFormat);
      assert.deepEqual(seen, [[3, 100_000, 0], ['Aborted', 'enough ☺']]);
    });
    await check(`connect-web: metadata, compression and a deadline, ${form}`, async () => {
      const seen = await page.evaluate(async useBinaryFormat => {
        const test = client('grpc.testing.TestService', { useBinaryFormat });
        let last;
        const headers = { 'x-grpc-test-echo-trailing-bin': 'q6ur' };
        await test.emptyCall({}, { headers, onTrailer: it => { last = it.get('x-grpc-test-echo-trailing-bin'); } });
        const large = await test.unaryCall({ responseSize: 300_000, responseCompressed: { value: true } });
        const slow = async () => {
          const request = { responseParameters: [{ size: 1, intervalUs: 30_000_000 }] };
          for await (const _ of test.streamingOutputCall(request, { timeoutMs: 100 }));
        };
        return [last.replace(/=+$/, ''), large.payload.body.length, (await refused(slow()))[0]];
      }, useBinaryFormat);
      assert.deepEqual(seen, ['q6ur', 300_000, 'DeadlineExceeded']);
    });
  }
  await page.context().close();
}
