/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_packed.c - any bytes as a packed file: as they stand, or packed here first, then damaged or not. The last three
 * bytes say how. What was packed comes out again; where the packing has a checksum, damage is told or does no harm; and
 * however few bytes are asked for at a time, the same ones come. */
#include "agree.h"

#include "base/mem.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { MOST = 1 << 16, ROOM = 1 << 16 }; /* bytes to unpack; to pack into */

typedef struct packing {
    const char *name; /* as a source calls it */
    int (*format)(struct archive *), (*filter)(struct archive *);
    const char *fast;
    bool checked; /* by a checksum over all that comes out */
} packing;

static const packing packings[] = {
    {"gzip", archive_write_set_format_raw, archive_write_add_filter_gzip, "gzip:compression-level=1", true},
    {"bzip2", archive_write_set_format_raw, archive_write_add_filter_bzip2, "bzip2:compression-level=1", true},
    {"xz", archive_write_set_format_raw, archive_write_add_filter_xz, "xz:compression-level=0", true},
    {"zstd", archive_write_set_format_raw, archive_write_add_filter_zstd, "zstd:compression-level=1", false},
    {"lz4", archive_write_set_format_raw, archive_write_add_filter_lz4, NULL, false},
    {"zip", archive_write_set_format_zip, archive_write_add_filter_none, NULL, false},
    {"gzip", archive_write_set_format_ustar, archive_write_add_filter_gzip, "gzip:compression-level=1", true},
};
enum { PACKINGS = sizeof packings / sizeof *packings };

static size_t pack(const packing *how, uint8_t *to, tdm_str s)
{
    size_t used = 0;
    struct archive *a = archive_write_new();
    struct archive_entry *e = archive_entry_new();
    if (!a || !e || how->format(a) || how->filter(a)) abort();
    if (how->fast && archive_write_set_options(a, how->fast)) abort();
    if (archive_write_set_bytes_per_block(a, 0) || archive_write_open_memory(a, to, ROOM, &used)) abort();
    archive_entry_set_pathname(e, "log.csv");
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_size(e, (la_int64_t)s.n);
    if (archive_write_header(a, e) || archive_write_data(a, s.p, s.n) != (la_ssize_t)s.n) abort();
    archive_entry_free(e);
    if (archive_write_close(a)) abort();
    archive_write_free(a);
    return used;
}

typedef struct unpacked {
    tdm_status st;
    tdm_buf bytes;
    char packing[32];
} unpacked;

/* Unpacks MOST bytes or more, asking for `step` at a time. */
static void unpack(unpacked *out, const uint8_t *p, size_t n, size_t step)
{
    tdm_source *s;
    tdm_err err;
    tdm_buf_reset(&out->bytes);
    *out->packing = 0;
    if ((out->st = tdm_source_open_bytes(&s, "input", p, n, &err))) return;
    while (!(out->st = tdm_source_fill(s, step, &err)) && out->bytes.n < MOST) {
        tdm_str a = tdm_source_ahead(s);
        if (a.n > step) a.n = step;
        if (a.n < step && !tdm_source_ended(s)) abort();
        if (!a.n) break;
        uint64_t at = tdm_source_offset(s);
        tdm_buf_add(&out->bytes, a.p, a.n);
        tdm_source_take(s, a.n, 0);
        if (tdm_source_offset(s) != at + a.n || tdm_source_read(s) > tdm_source_size(s)) abort();
    }
    strncat(out->packing, tdm_source_packing(s), sizeof out->packing - 1);
    tdm_source_close(s);
}

static bool equal(const tdm_buf *a, tdm_str b) { return a->n == b.n && (!b.n || !memcmp(a->p, b.p, b.n)); }

static void any_step_gives_the_same(const uint8_t *p, size_t n, size_t step)
{
    static unpacked all, some;
    unpack(&all, p, n, MOST);
    unpack(&some, p, n, step);
    size_t both = some.bytes.n < all.bytes.n ? some.bytes.n : all.bytes.n;
    if (both && memcmp(some.bytes.p, all.bytes.p, both)) abort();
    if (all.bytes.n >= MOST || some.bytes.n >= MOST) return; /* what is wrong may lie behind */
    if (all.st != some.st || (!all.st && all.bytes.n != some.bytes.n)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static uint8_t packed[ROOM];
    static unpacked plain, back;
    uint8_t a = steering(p, &n), where = steering(p, &n), what = steering(p, &n);
    size_t k = a & 7, step = 1 + (size_t)(a >> 6) * 61, size = n;
    if (n > 4096) return 0;
    any_step_gives_the_same(p, n, step);
    if (k == 0 || n == 0) return 0; /* nothing is not packed: libarchive writes no lz4 of that */
    unpack(&plain, p, n, MOST);
    const packing *how = &packings[k - 1];
    tdm_str content = {(const char *)p, n};
    if (n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3)) content.p += 3, content.n -= 3;
    bool simple = !plain.st && !strcmp(plain.packing, "none") && equal(&plain.bytes, content);
    size = pack(how, packed, (tdm_str){(const char *)p, n});
    if (!simple || !size) return 0; /* packed twice: all layers come off */
    unpack(&back, packed, size, MOST);
    if (back.st || !equal(&back.bytes, content)) abort();
    size_t at = (size_t)where * size / 256;
    switch (a >> 3 & 7) {
    case 0:
        return 0;
    case 1: /* cut */
        size = at;
        break;
    case 2: /* something follows */
        packed[size++] = what;
        break;
    case 3: /* a piece is missing */
        memmove(packed + at, packed + at + 1, size - at - 1);
        size--;
        break;
    default:
        packed[at] ^= what ? what : 1;
    }
    any_step_gives_the_same(packed, size, step);
    unpack(&back, packed, size, MOST);
    if (!back.st && how->checked && !strcmp(back.packing, how->name) && !equal(&back.bytes, content)) abort();
    return 0;
}
