/** A drop of files and folders -> the files, folders searched for pictures. */
export async function filesOf(transfer) {
  // Entries must be taken before the first await: the transfer is emptied when its event ends.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.());
  if (!entries.some((entry) => entry?.isDirectory)) return [...transfer.files];
  const found = await Promise.all(entries.filter(Boolean).map(filesBelow));
  return found.flat();
}

async function filesBelow(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const inside = (await Promise.all((await children(entry)).map(filesBelow))).flat();
  return inside.filter((file) => file.type.startsWith("image/")); // a folder holds other things too
}

async function children(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // 100 at a time
    if (some.length === 0) return all.sort((a, b) => a.name.localeCompare(b.name));
    all.push(...some);
  }
}
