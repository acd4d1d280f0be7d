/* SPDX-License-Identifier: Apache-2.0 */
/* source.c - a window over what libarchive unpacks. */
#include "data/source.h"

#include "base/mem.h"
#include "data/packed.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { STEP = 1 << 18, LEAST_STEP = 1 << 12 };

struct tdm_source {
    struct archive *a;
    tdm_packed_file *file;
    char *name;
    char *p;
    size_t cap, at, end, step; /* step: least room to read into */
    bool ended, packed_file;   /* packed_file: a zip or tar, which may hold several */
    char *member;              /* the one to read; NULL: the only one */
    uint64_t offset, size;
    size_t line;
};

void tdm_source_close(tdm_source *s)
{
    if (!s) return;
    if (s->a) archive_read_free(s->a);
    tdm_packed_close(s->file);
    tdm_free(s->name);
    tdm_free(s->member);
    tdm_free(s->p);
    tdm_free(s);
}

static tdm_status archive_fail(const tdm_source *s, tdm_err *err)
{
    tdm_str why = tdm_str_trim(tdm_str_of(archive_error_string(s->a))); /* some end in a newline */
    return tdm_fail(err, archive_errno(s->a) == ENOMEM ? TDM_E_NOMEM : TDM_E_IO, "%s: could not be read: %.*s", s->name,
                    why.n ? (int)why.n : 14, why.n ? why.p : "unknown reason");
}

static tdm_status source_new(tdm_source **out, const char *name, tdm_err *err)
{
    tdm_source *s = *out = tdm_new(1, sizeof *s);
    if (!s || !(s->name = tdm_strdup(name)) || !(s->a = archive_read_new())) {
        tdm_source_close(s);
        *out = NULL;
        return tdm_nomem(err, name);
    }
    s->line = 1;
    /* named one by one: "all" would also start outside programs */
    archive_read_support_filter_bzip2(s->a);
    archive_read_support_filter_xz(s->a);
    archive_read_support_filter_zstd(s->a);
    archive_read_support_filter_lz4(s->a);
    archive_read_support_format_raw(s->a);
    archive_read_support_format_empty(s->a);
    archive_read_support_format_zip(s->a);
    archive_read_support_format_tar(s->a);
    return TDM_OK;
}

/* The last part of a name begins with a dot, or a system put it there. */
static bool hidden(const char *name)
{
    const char *slash = strrchr(name, '/');
    return (slash ? slash[1] : name[0]) == '.' || !strncmp(name, "__MACOSX/", 9);
}

/* The next file of an archive that is not hidden; the one thing that is no archive. *name is NULL where there is none,
 * and "" where it has no name. */
static tdm_status entry_next(tdm_source *s, const char **name, tdm_err *err)
{
    struct archive_entry *e;
    *name = NULL;
    for (;;) {
        int rc = archive_read_next_header(s->a, &e);
        if (rc == ARCHIVE_EOF) return TDM_OK;
        if (rc < ARCHIVE_WARN) return archive_fail(s, err);
        int format = archive_format(s->a) & ARCHIVE_FORMAT_BASE_MASK;
        s->packed_file = format == ARCHIVE_FORMAT_ZIP || format == ARCHIVE_FORMAT_TAR;
        const char *path = s->packed_file ? archive_entry_pathname(e) : "";
        if (!path) path = "";
        if (s->packed_file && (archive_entry_filetype(e) != AE_IFREG || hidden(path))) continue;
        *name = path;
        return TDM_OK;
    }
}

/* Goes to the file to read; `ended` is set where there is none. */
static tdm_status entry_find(tdm_source *s, tdm_err *err)
{
    const char *name;
    tdm_status st;
    while (!(st = entry_next(s, &name, err)) && name)
        if (!s->member || !strcmp(name, s->member)) return TDM_OK;
    s->ended = true;
    return st;
}

static tdm_status begin(tdm_source *s, int rc, tdm_err *err)
{
    s->step = !s->size || s->size > STEP ? STEP : s->size < LEAST_STEP ? LEAST_STEP : (size_t)s->size;
    tdm_status st = rc == ARCHIVE_OK ? entry_find(s, err) : archive_fail(s, err);
    if (!st) st = tdm_source_fill(s, 4, err);
    tdm_str a = tdm_source_ahead(s);
    if (!st && a.n >= 3 && !memcmp(a.p, "\xef\xbb\xbf", 3)) tdm_source_take(s, 3, 0);
    return st;
}

/* Opens the file, not yet what is packed in it; *rc is what libarchive says. */
static tdm_status file_open(tdm_source **out, int *rc, const char *path, const char *name, tdm_err *err)
{
    struct stat info;
    bool standard = !strcmp(path, "-");
    *out = NULL;
    int fd = standard ? 0 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return tdm_fail(err, TDM_E_IO, "%s: could not be opened: %s", path, strerror(errno));
    bool known = !fstat(fd, &info);
    if (known && S_ISDIR(info.st_mode)) {
        if (!standard) close(fd);
        return tdm_fail(err, TDM_E_FORMAT, "%s: is a folder; expected a file of reviews, ratings or items", path);
    }
    tdm_packed_file *file;
    tdm_status st = tdm_packed_open_fd(&file, fd, err);
    if (st) return st;
    st = source_new(out, standard ? "standard input" : name, err);
    if (st) {
        tdm_packed_close(file);
        return st;
    }
    (*out)->file = file;
    if (known && S_ISREG(info.st_mode)) (*out)->size = (uint64_t)info.st_size;
    *rc = tdm_packed_give(file, (*out)->a);
    return TDM_OK;
}

static tdm_status finish(tdm_source **out, int rc, tdm_err *err)
{
    tdm_status st = begin(*out, rc, err);
    if (st) {
        tdm_source_close(*out);
        *out = NULL;
    }
    return st;
}

tdm_status tdm_source_open(tdm_source **out, const char *path, tdm_err *err)
{
    int rc = ARCHIVE_FATAL;
    tdm_status st = file_open(out, &rc, path, path, err);
    return st ? st : finish(out, rc, err);
}

tdm_status tdm_source_open_member(tdm_source **out, const char *path, const char *member, tdm_err *err)
{
    int rc = ARCHIVE_FATAL;
    tdm_buf name = {0};
    *out = NULL;
    tdm_buf_fmt(&name, "%s:%s", path, member);
    tdm_status st = name.failed ? tdm_nomem(err, path) : file_open(out, &rc, path, name.p, err);
    tdm_buf_clear(&name);
    if (st) return st;
    if (!((*out)->member = tdm_strdup(member))) {
        tdm_source_close(*out);
        *out = NULL;
        return tdm_nomem(err, path);
    }
    return finish(out, rc, err);
}

tdm_status tdm_source_members(const char *path, bool (*each)(void *ctx, const char *name), void *ctx, tdm_err *err)
{
    tdm_source *s;
    int rc = ARCHIVE_FATAL;
    const char *name;
    size_t n = 0;
    char *first = NULL;
    if (!strcmp(path, "-")) return TDM_OK;
    tdm_status st = file_open(&s, &rc, path, path, err);
    if (st) return st;
    if (rc != ARCHIVE_OK) st = archive_fail(s, err);
    while (!st && !(st = entry_next(s, &name, err)) && name && s->packed_file) {
        if (n++ == 0) {
            if (!(first = tdm_strdup(name))) st = tdm_nomem(err, path);
        } else if ((n == 2 && !each(ctx, first)) || !each(ctx, name)) st = tdm_nomem(err, path);
    }
    if (!st && s->packed_file && tdm_packed_finish(s->file, s->a)) st = archive_fail(s, err);
    tdm_free(first);
    tdm_source_close(s);
    return st;
}

tdm_status tdm_source_open_bytes(tdm_source **out, const char *name, const void *bytes, size_t n, tdm_err *err)
{
    tdm_status st = source_new(out, name, err);
    if (st) return st;
    (*out)->size = n;
    st = tdm_packed_open_bytes(&(*out)->file, bytes, n, err);
    if (!st) return finish(out, tdm_packed_give((*out)->file, (*out)->a), err);
    tdm_source_close(*out);
    *out = NULL;
    return st;
}

/* Nothing of the file may be left behind the last byte that was unpacked, a zip must have its end and a gzip the right
 * checksum (that of an archive of several was looked at when they were listed). */
static tdm_status end_check(const tdm_source *s, tdm_err *err)
{
    if (!s->member && tdm_packed_finish(s->file, s->a)) return archive_fail(s, err);
    bool zip = (archive_format(s->a) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP;
    bool raw = (archive_format(s->a) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_RAW;
    la_int64_t unpacked = archive_filter_bytes(s->a, -1);
    bool rest = raw && !tdm_packed_gzip(s->file) && s->size && unpacked >= 0 && (uint64_t)unpacked < s->size;
    if (!rest && !(zip && !tdm_packed_zip_ends(s->file))) return TDM_OK;
    return tdm_fail(err, TDM_E_IO, "%s: could not be read: the packed data is cut short, or something else follows it",
                    s->name);
}

tdm_status tdm_source_fill(tdm_source *s, size_t need, tdm_err *err)
{
    while (s->end - s->at < need && !s->ended) {
        if (s->at && (s->cap - s->end < s->step || s->at == s->end)) {
            memmove(s->p, s->p + s->at, s->end - s->at);
            s->end -= s->at;
            s->at = 0;
        }
        if (s->cap - s->end < s->step && tdm_grow(&s->p, &s->cap, s->end + s->step, 1)) return tdm_nomem(err, s->name);
        la_ssize_t got = archive_read_data(s->a, s->p + s->end, s->cap - s->end);
        if (got < 0) return archive_fail(s, err);
        s->end += (size_t)got;
        if (got) continue;
        s->ended = true;
        const char *another = NULL;
        if (s->packed_file && !s->member && entry_next(s, &another, err)) return TDM_E_IO;
        if (!another) return end_check(s, err);
        return tdm_fail(err, TDM_E_FORMAT, "%s: holds several files; unpack it and name the one to read", s->name);
    }
    return TDM_OK;
}

tdm_str tdm_source_ahead(const tdm_source *s) { return (tdm_str){s->p ? s->p + s->at : "", s->end - s->at}; }
bool tdm_source_ended(const tdm_source *s) { return s->ended; }

void tdm_source_take(tdm_source *s, size_t n, size_t lines)
{
    s->at += n;
    s->offset += n;
    s->line += lines;
}

const char *tdm_source_name(const tdm_source *s) { return s->name; }
size_t tdm_source_line_number(const tdm_source *s) { return s->line; }
uint64_t tdm_source_offset(const tdm_source *s) { return s->offset; }
uint64_t tdm_source_size(const tdm_source *s) { return s->size; }

uint64_t tdm_source_read(const tdm_source *s) { return tdm_packed_taken(s->file); }

const char *tdm_source_packing(const tdm_source *s)
{
    int format = archive_format(s->a) & ARCHIVE_FORMAT_BASE_MASK;
    if (tdm_packed_gzip(s->file)) return "gzip";
    return format == ARCHIVE_FORMAT_ZIP ? "zip" : archive_filter_name(s->a, 0);
}
