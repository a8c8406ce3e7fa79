// The same list in each coding, as the server's own client gets it, and as the browser does.
async function showCodings() {
  try {
    const { response, bytes } = await exchange('GET', '/items');
    const own = await fetch('/own/codings', { cache: 'no-store' });
    const sizes = await own.json();
    if (!own.ok) throw new Error(sizes.error);
    const plain = sizes.find(({ coding }) => coding === 'identity').bytes;
    $('codings-rows').replaceChildren(...sizes.map(size => {
      const line = element('li'), bars = element('span', '', 'bars'), bar = element('i', '', 'down');
      Object.assign(line.dataset, { coding: size.coding, bytes: size.bytes });
      bar.style.width = `${(100 * size.bytes / plain).toFixed(1)}%`;
      bars.append(bar);
      line.append(element('b', size.coding), bars, element('span', units(size.bytes), 'number'), element('span', `${(plain / size.bytes).toFixed(1)} : 1`, 'number'));
      return line;
    }));
    const coding = response.headers.get('content-encoding') ?? 'identity';
    $('codings-note').textContent = `Your browser was given ${coding} and has decoded ${units(bytes.length)}.`;
    $('codings-rows').dataset.mine = coding;
  } catch (error) { $('codings-note').textContent = error.message; }
}
$('codings-run').onclick = showCodings;
