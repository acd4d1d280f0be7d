/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* sync_file_range */
#include "base/draft.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SOON = 1 << 16 };

struct tdm_draft {
    char *path, *name; /* name: "<path>.tmp", what is written to */
    int fd;
};

void tdm_draft_drop(tdm_draft *d)
{
    if (!d) return;
    if (d->fd >= 0) {
        close(d->fd);
        unlink(d->name);
    }
    tdm_free(d->path);
    tdm_free(d->name);
    tdm_free(d);
}

static tdm_status fail(const tdm_draft *d, const char *what, tdm_err *err)
{
    return tdm_fail(err, TDM_E_IO, "%s: could not %s: %s", d->name, what, strerror(errno));
}

tdm_status tdm_draft_open(tdm_draft **out, const char *path, size_t bytes, tdm_err *err)
{
    tdm_buf name = {0};
    tdm_draft *d = tdm_new(1, sizeof *d);
    *out = NULL;
    tdm_buf_fmt(&name, "%s.tmp", path);
    if (!d) {
        tdm_buf_clear(&name);
        return tdm_nomem(err, path);
    }
    *d = (tdm_draft){.path = tdm_strdup(path), .name = name.p, .fd = -1};
    tdm_status st = d->path && !name.failed ? TDM_OK : tdm_nomem(err, path);
    if (!st && (d->fd = open(d->name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) < 0) st = fail(d, "create", err);
    if (!st && ftruncate(d->fd, (off_t)bytes)) st = fail(d, "make room in", err);
    if (st) tdm_draft_drop(d);
    else *out = d;
    return st;
}

tdm_status tdm_draft_put(tdm_draft *d, size_t at, const void *bytes, size_t n, tdm_err *err)
{
    const char *p = bytes;
    for (size_t left = n; left;) {
        ssize_t w = pwrite(d->fd, p, left > (1u << 30) ? 1u << 30 : left, (off_t)(at + (n - left)));
        if (w < 0 && errno == EINTR) continue;
        if (w < 0) return fail(d, "write", err);
        p += w;
        left -= (size_t)w;
    }
#ifdef __linux__
    if (n >= SOON) (void)sync_file_range(d->fd, (off_t)at, (off_t)n, SYNC_FILE_RANGE_WRITE); /* the disk may begin */
#endif
    return TDM_OK;
}

tdm_status tdm_draft_end(tdm_draft *d, bool sync, tdm_err *err)
{
    tdm_status st = sync && fsync(d->fd) ? fail(d, "sync", err) : TDM_OK;
    if (!st && rename(d->name, d->path))
        st = tdm_fail(err, TDM_E_IO, "%s: could not rename into place: %s", d->path, strerror(errno));
    if (!st) {
        close(d->fd);
        d->fd = -1;
        if (sync) tdm_file_settle(d->path);
    }
    tdm_draft_drop(d);
    return st;
}
