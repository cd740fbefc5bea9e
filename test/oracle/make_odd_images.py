"""Small images of kinds that are seldom seen, and the pixels that Pillow reads: test/golden/images/odd/.

    /usr/bin/python3 test/oracle/make_odd_images.py

Pillow 9.4. Bitmaps that Pillow does not write itself are written here, field by field.
"""

import pathlib
import struct

import numpy as np
from PIL import Image

OUT = pathlib.Path(__file__).parent.parent / "golden" / "images" / "odd"
OUT.mkdir(parents=True, exist_ok=True)
random = np.random.RandomState(3)
WIDTH, HEIGHT = 19, 7  # rows that are not a multiple of four bytes at any depth

colour = Image.fromarray(random.randint(0, 256, (HEIGHT, WIDTH, 3)).astype("uint8"))
grey = colour.convert("L")
palette = colour.convert("P", palette=Image.Palette.ADAPTIVE, colors=16)

# ---- Windows bitmaps: what Pillow writes

colour.save(OUT / "24.bmp")
grey.save(OUT / "grey.bmp")
palette.save(OUT / "palette.bmp")
colour.convert("1").save(OUT / "1.bmp")
colour.convert("RGBA").save(OUT / "32.bmp")


# ---- and what it does not


def bitmap(name, bits, pixels, compression=0, colours=b"", masks=b"", height=HEIGHT, header=40):
    if header == 12:
        info = struct.pack("<IHHHH", 12, WIDTH, height, 1, bits)
    else:
        info = struct.pack(
            "<IiiHHIIiiII", header, WIDTH, height, 1, bits, compression, len(pixels), 2835, 2835, len(colours) // 4, 0
        )
    body = info + masks + colours
    (OUT / name).write_bytes(b"BM" + struct.pack("<IHHI", 14 + len(body) + len(pixels), 0, 0, 14 + len(body)) + body + pixels)


def rows(values, dtype):
    """Bottom row first, each filled up to four bytes."""
    out = b""
    for row in values[::-1]:
        line = row.astype(dtype).tobytes()
        out += line + b"\0" * (-len(line) % 4)
    return out


indices = random.randint(0, 16, (HEIGHT, WIDTH))
table = bytes(random.randint(0, 256, 64).astype("uint8"))
nibbles = np.pad(indices, ((0, 0), (0, WIDTH % 2)))
bitmap("4.bmp", 4, rows(nibbles[:, 0::2] * 16 + nibbles[:, 1::2], "u1"), colours=table)
old = b"".join(table[i * 4 : i * 4 + 3] for i in range(16))
bitmap("os2.bmp", 4, rows(nibbles[:, 0::2] * 16 + nibbles[:, 1::2], "u1"), colours=old, header=12)
deep = random.randint(0, 1 << 16, (HEIGHT, WIDTH))
bitmap("16.bmp", 16, rows(deep, "<u2"))
bitmap("565.bmp", 16, rows(deep, "<u2"), 3, masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F))
wide = random.randint(0, 1 << 31, (HEIGHT, WIDTH))
bitmap("masks.bmp", 32, rows(wide, "<u4"), 3, masks=struct.pack("<III", 0xFF000000, 0xFF0000, 0xFF00))
v4 = struct.pack("<IIII", 0xFF, 0xFF00, 0xFF0000, 0xFF000000) + b"\0" * 52
bitmap("v4.bmp", 32, rows(wide, "<u4"), 3, masks=v4, header=108)
bitmap("from_top.bmp", 24, rows(np.asarray(colour)[::-1, :, ::-1].reshape(HEIGHT, -1), "u1"), height=-HEIGHT)
runs = b""
for row in indices[::-1]:
    runs += bytes([5, row[0], 0, WIDTH - 8]) + row[8:].astype("u1").tobytes() + b"\0" * (WIDTH % 2) + bytes([3, row[1], 0, 0])
bitmap("rle8.bmp", 8, runs + b"\0\1", 1, colours=table)
runs4 = b""
for row in indices[::-1]:
    runs4 += bytes([7, row[0] * 16 + row[1], 0, 8]) + (row[2:10:2] * 16 + row[3:11:2]).astype("u1").tobytes() + bytes([4, row[5] * 17, 0, 0])
bitmap("rle4.bmp", 4, runs4 + b"\0\1", 2, colours=table)

# ---- GIF: colours under transparency, and frames that do not fill the screen

palette.save(OUT / "transparent.gif", transparency=palette.getpixel((0, 0)))
other = Image.fromarray(random.randint(0, 256, (HEIGHT, WIDTH, 3)).astype("uint8")).convert("P", palette=Image.Palette.ADAPTIVE, colors=16)
palette.save(OUT / "transparent_animated.gif", transparency=3, save_all=True, append_images=[other])
for name, transparency in (("part.gif", None), ("transparent_part.gif", 5)):
    palette.save(OUT / name, **({} if transparency is None else {"transparency": transparency}))
    data = bytearray((OUT / name).read_bytes())
    data[6:10] = struct.pack("<HH", WIDTH + 6, HEIGHT + 9)
    frame = data.index(b"\x2c\0\0\0\0" + struct.pack("<HH", WIDTH, HEIGHT))
    data[frame + 1 : frame + 5] = struct.pack("<HH", 4, 3)
    (OUT / name).write_bytes(data)

# ---- siblings with transparency in other formats

clear = np.dstack([np.asarray(colour), random.choice([0, 0, 128, 255], (HEIGHT, WIDTH))]).astype("uint8")
clear = Image.fromarray(clear)
clear.save(OUT / "clear.webp", lossless=True, exact=True)
clear.save(OUT / "clear_animated.webp", lossless=True, exact=True, save_all=True, append_images=[colour.convert("RGBA")])
clear.save(OUT / "clear_animated.png", save_all=True, append_images=[colour.convert("RGBA")])
clear.save(OUT / "clear.tif")
palette.save(OUT / "palette_transparent.png", transparency=2)
grey.save(OUT / "grey_transparent.png", transparency=grey.getpixel((1, 1)))

# ---- Netpbm

colour.save(OUT / "colour.ppm")
grey.save(OUT / "grey.pgm")
colour.convert("1").save(OUT / "bits.pbm")
numbers = " ".join(str(value % 7) for value in np.asarray(colour).reshape(-1))
(OUT / "text.ppm").write_text(f"P3\n# made by hand\n{WIDTH} {HEIGHT} # and again\n6\n{numbers}\n")
(OUT / "text.pbm").write_text(f"P1 {WIDTH} {HEIGHT}\n" + "".join(str(v) for v in (indices % 2).reshape(-1)) + "\n")
levels = (np.asarray(colour).reshape(-1) % 101).astype("u1").tobytes()
(OUT / "levels.ppm").write_bytes(f"P6 {WIDTH} {HEIGHT} 100\n".encode() + levels)
(OUT / "deep.ppm").write_bytes(f"P6 {WIDTH} {HEIGHT} 65535\n".encode() + random.randint(0, 65536, (HEIGHT, WIDTH, 3)).astype(">u2").tobytes())

for path in sorted(OUT.iterdir()):
    if not path.name.endswith(".rgb.png"):
        Image.open(path).convert("RGB").save(OUT / (path.name + ".rgb.png"), optimize=True)
