/* SPDX-License-Identifier: Apache-2.0 */
#include "data/packed.h"

#include "base/mem.h"

#include <archive.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZLIB_CONST /* what it reads it does not change */
#include <zlib.h>

enum { STEP = 1 << 18, ZIP_TAIL = 65557 }; /* ZIP_TAIL: the end of a zip with the longest comment */

struct tdm_packed_file {
    int fd; /* -1: bytes */
    const unsigned char *bytes;
    size_t n, at; /* of bytes */
    uint64_t taken;
    const unsigned char *p; /* what was taken last */
    size_t ahead;           /* of it, to look at and not given yet */
    bool gzip, began, whole;
    z_stream z;
    size_t room;             /* of out */
    unsigned char *in, *out; /* STEP of a file's; unpacked */
};

void tdm_packed_close(tdm_packed_file *f)
{
    if (!f) return;
    if (f->gzip) inflateEnd(&f->z);
    if (f->fd > 0) close(f->fd);
    tdm_free(f->in);
    tdm_free(f->out);
    tdm_free(f);
}

/* The next bytes of the file, up to STEP, at p; -1: errno says why. */
static ssize_t take(tdm_packed_file *f)
{
    ssize_t got;
    if (f->fd < 0) {
        got = (ssize_t)(f->n - f->at < STEP ? f->n - f->at : STEP);
        f->p = f->bytes + f->at;
        f->at += (size_t)got;
    } else {
        f->p = f->in;
        do got = read(f->fd, f->in, STEP);
        while (got < 0 && errno == EINTR);
    }
    if (got > 0) f->taken += (uint64_t)got;
    return got;
}

static tdm_status begin(tdm_packed_file *f, tdm_err *err)
{
    if (f->fd >= 0 && !(f->in = tdm_new(STEP, 1))) return tdm_nomem(err, "a file");
    ssize_t got = take(f);
    f->ahead = got > 0 ? (size_t)got : 0; /* a failure comes again, and is told then */
    if (f->ahead < 2 || f->p[0] != 0x1f || f->p[1] != 0x8b) return TDM_OK;
    f->room = f->fd < 0 && f->n < STEP / 8 ? 8 * f->n : STEP;
    if (!(f->out = tdm_new(f->room, 1))) return tdm_nomem(err, "a packed file");
    f->gzip = inflateInit2(&f->z, 16 + MAX_WBITS) == Z_OK;
    f->z.next_in = f->p;
    f->z.avail_in = (unsigned)f->ahead;
    return f->gzip ? TDM_OK : tdm_nomem(err, "a packed file");
}

tdm_status tdm_packed_open_fd(tdm_packed_file **out, int fd, tdm_err *err)
{
    tdm_packed_file *f = *out = tdm_new(1, sizeof *f);
    if (!f) {
        if (fd > 0) close(fd);
        return tdm_nomem(err, "a file");
    }
    f->fd = fd;
    tdm_status st = begin(f, err);
    if (!st) return st;
    tdm_packed_close(f);
    *out = NULL;
    return st;
}

tdm_status tdm_packed_open_bytes(tdm_packed_file **out, const void *bytes, size_t n, tdm_err *err)
{
    tdm_packed_file *f = *out = tdm_new(1, sizeof *f);
    if (!f) return tdm_nomem(err, "a file");
    f->fd = -1;
    f->bytes = bytes;
    f->n = n;
    tdm_status st = begin(f, err);
    if (!st) return st;
    tdm_packed_close(f);
    *out = NULL;
    return st;
}

/* ---- gzip ---- */

static la_ssize_t fail(struct archive *a, const char *why)
{
    archive_set_error(a, EILSEQ, "%s", why);
    return -1;
}

/* Behind a member there may be another one, or zeros as tapes are filled up with. */
static la_ssize_t member_end(tdm_packed_file *f, struct archive *a)
{
    for (;;) {
        while (f->z.avail_in && !f->z.next_in[0]) f->z.next_in++, f->z.avail_in--;
        if (f->z.avail_in) break;
        ssize_t got = take(f);
        if (got < 0) return fail(a, strerror(errno));
        f->z.next_in = f->p;
        f->z.avail_in = (unsigned)got;
        f->whole = !got;
        if (!got) return 0;
    }
    if (f->z.next_in[0] != 0x1f) return fail(a, "something that is no gzip follows the packed data");
    return inflateReset(&f->z) == Z_OK ? 0 : fail(a, "zlib failed");
}

static la_ssize_t unpack(tdm_packed_file *f, struct archive *a)
{
    f->z.next_out = f->out;
    f->z.avail_out = (unsigned)f->room;
    while (!f->whole && f->z.avail_out) {
        if (!f->z.avail_in) {
            ssize_t got = take(f);
            if (got < 0) return fail(a, strerror(errno));
            if (!got) return fail(a, "the packed data is cut short");
            f->z.next_in = f->p;
            f->z.avail_in = (unsigned)got;
        }
        int rc = inflate(&f->z, Z_NO_FLUSH);
        if (rc == Z_STREAM_END && member_end(f, a) < 0) return -1;
        if (rc == Z_MEM_ERROR) {
            archive_set_error(a, ENOMEM, "out of memory");
            return -1;
        }
        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
            return fail(a, f->z.msg ? f->z.msg : "the packed data is damaged");
    }
    return (la_ssize_t)(f->room - f->z.avail_out);
}

int tdm_packed_finish(tdm_packed_file *f, struct archive *a)
{
    while (f->gzip && !f->whole)
        if (unpack(f, a) < 0) return -1;
    return 0;
}

/* ---- what libarchive calls ---- */

static la_ssize_t on_read(struct archive *a, void *ctx, const void **p)
{
    tdm_packed_file *f = ctx;
    if (f->gzip) {
        *p = f->out;
        return unpack(f, a);
    }
    ssize_t got = !f->began && f->ahead ? (ssize_t)f->ahead : take(f);
    f->began = true;
    *p = f->p;
    return got < 0 ? fail(a, strerror(errno)) : got;
}

static la_int64_t on_seek(struct archive *a, void *ctx, la_int64_t to, int whence)
{
    tdm_packed_file *f = ctx;
    la_int64_t at;
    if (f->fd < 0) {
        at = to + (whence == SEEK_SET ? 0 : whence == SEEK_END ? (la_int64_t)f->n : (la_int64_t)f->at);
        if (at < 0 || at > (la_int64_t)f->n) return fail(a, "a place outside of the file");
        f->at = (size_t)at;
    } else at = lseek(f->fd, to, whence);
    if (at >= 0) f->taken = (uint64_t)at; /* what is looked for at the end of a file is not read yet */
    f->began = true;
    return at;
}

int tdm_packed_give(tdm_packed_file *f, struct archive *a)
{
    struct stat s;
    bool seeks = !f->gzip && (f->fd < 0 || (!fstat(f->fd, &s) && S_ISREG(s.st_mode)));
    archive_read_set_read_callback(a, on_read);
    if (seeks) archive_read_set_seek_callback(a, on_seek);
    archive_read_set_callback_data(a, f);
    return archive_read_open1(a);
}

bool tdm_packed_gzip(const tdm_packed_file *f) { return f->gzip; }
uint64_t tdm_packed_taken(const tdm_packed_file *f) { return f->taken; }

bool tdm_packed_zip_ends(const tdm_packed_file *f)
{
    struct stat s;
    if (f->gzip || (f->fd >= 0 && (fstat(f->fd, &s) || !S_ISREG(s.st_mode)))) return true;
    size_t size = f->fd < 0 ? f->n : (size_t)s.st_size, n = size < ZIP_TAIL ? size : ZIP_TAIL;
    unsigned char *tail = tdm_new(n, 1);
    if (!tail) return true;
    bool read = true, found = false;
    if (f->fd < 0) memcpy(tail, f->bytes + size - n, n);
    else read = pread(f->fd, tail, n, (off_t)(size - n)) == (ssize_t)n;
    for (size_t i = n < 22 ? 0 : n - 21; read && !found && i-- > 0;)
        if (!memcmp(tail + i, "PK\5\6", 4)) found = (size_t)(tail[i + 20] | tail[i + 21] << 8) == n - i - 22;
    tdm_free(tail);
    return !read || found;
}
