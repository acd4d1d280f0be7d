/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static tdm_status io_fail(tdm_err *err, const char *path, const char *what)
{
    return tdm_fail(err, TDM_E_IO, "%s: could not %s: %s", path, what, strerror(errno));
}

tdm_status tdm_map_open(tdm_map *out, const char *path, tdm_err *err)
{
    *out = (tdm_map){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return io_fail(err, path, "open");
    struct stat s;
    tdm_status st = TDM_OK;
    if (fstat(fd, &s)) st = io_fail(err, path, "read its size");
    else if (S_ISDIR(s.st_mode)) st = tdm_fail(err, TDM_E_IO, "%s: is a folder, not a file", path);
    else if (s.st_size == 0) out->p = (const uint8_t *)"";
    else {
        void *p = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED) st = io_fail(err, path, "map");
        else *out = (tdm_map){p, (size_t)s.st_size};
    }
    close(fd);
    return st;
}

void tdm_map_close(tdm_map *m)
{
    if (m->n) munmap((void *)(uintptr_t)m->p, m->n);
    *m = (tdm_map){0};
}

static int write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t w = write(fd, p, n > (1u << 30) ? 1u << 30 : n);
        if (w < 0 && errno == EINTR) continue;
        if (w < 0) return -1;
        p += w;
        n -= (size_t)w;
    }
    return 0;
}

/* The rename is durable once the folder itself is synced; a file system that cannot sync folders is let be. */
void tdm_file_settle(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? tdm_strndup(path, slash == path ? 1 : (size_t)(slash - path)) : tdm_strdup(".");
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    tdm_free(folder);
}

tdm_status tdm_file_write_pieces(const char *path, const tdm_str *pieces, size_t n, tdm_err *err)
{
    tdm_buf tmp = {0};
    tdm_buf_fmt(&tmp, "%s.tmp", path);
    if (tmp.failed) return tdm_nomem(err, "a file name");
    tdm_status st = TDM_OK;
    int fd = open(tmp.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) st = io_fail(err, tmp.p, "create");
    for (size_t i = 0; !st && i < n; i++)
        if (write_all(fd, pieces[i].p, pieces[i].n)) st = io_fail(err, tmp.p, "write");
    if (!st && fsync(fd)) st = io_fail(err, tmp.p, "sync");
    if (fd >= 0 && close(fd) && !st) st = io_fail(err, tmp.p, "close");
    if (!st && rename(tmp.p, path)) st = io_fail(err, path, "rename into place");
    if (st && fd >= 0) unlink(tmp.p);
    if (!st) tdm_file_settle(path);
    tdm_buf_clear(&tmp);
    return st;
}

tdm_status tdm_file_sync(const char *path, tdm_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return io_fail(err, path, "open");
    tdm_status st = fsync(fd) ? io_fail(err, path, "sync") : TDM_OK;
    close(fd);
    return st;
}

tdm_status tdm_file_write(const char *path, const void *bytes, size_t n, tdm_err *err)
{
    tdm_str piece = {bytes, n};
    return tdm_file_write_pieces(path, &piece, 1, err);
}

bool tdm_file_exists(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && !S_ISDIR(s.st_mode);
}

bool tdm_folder_exists(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

tdm_status tdm_folder_make(const char *path, tdm_err *err)
{
    char *p = tdm_strdup(path);
    if (!p) return tdm_nomem(err, "a folder name");
    tdm_status st = TDM_OK;
    for (char *s = p + 1; !st && *p; s++) {
        if (*s && *s != '/') continue;
        char was = *s;
        *s = 0;
        if (mkdir(p, 0777) && !(errno == EEXIST && tdm_folder_exists(p))) st = io_fail(err, p, "make the folder");
        *s = was;
        if (!was) break;
    }
    tdm_free(p);
    return st;
}

char *tdm_path_join(const char *a, const char *b)
{
    tdm_buf out = {0};
    size_t n = strlen(a);
    tdm_buf_fmt(&out, "%s%s%s", a, n && a[n - 1] == '/' ? "" : "/", b);
    if (out.failed) tdm_buf_clear(&out);
    return out.p;
}

/* Read and not mapped, so that a large file does not count as memory of ours. */
tdm_status tdm_file_sha256(char out[65], const char *path, tdm_err *err)
{
    enum { PIECE = 1 << 20 };
    unsigned char digest[EVP_MAX_MD_SIZE], *piece = tdm_new(PIECE, 1);
    unsigned n = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    tdm_status st = fd < 0 ? io_fail(err, path, "open") : piece && ctx ? TDM_OK : tdm_nomem(err, path);
    bool good = !st && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
    for (ssize_t got = 1; good && got;) {
        got = read(fd, piece, PIECE);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            st = io_fail(err, path, "read");
            break;
        }
        good = EVP_DigestUpdate(ctx, piece, (size_t)got) == 1;
    }
    good = good && !st && EVP_DigestFinal_ex(ctx, digest, &n) == 1 && n == 32;
    if (!st && !good) st = tdm_fail(err, TDM_E_NOMEM, "%s: SHA-256 failed", path);
    for (unsigned i = 0; !st && i < n; i++) snprintf(out + 2 * i, 3, "%02x", digest[i]);
    EVP_MD_CTX_free(ctx);
    tdm_free(piece);
    if (fd >= 0) close(fd);
    return st;
}
