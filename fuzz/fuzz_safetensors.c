/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_safetensors.c - any bytes as a file of named arrays.
 *
 * Input: the length of the header in two bytes, then the header and the data; the other six bytes of the length are
 * zero, so that most inputs reach the parser. 0xffff: the rest is the file as it stands. What opens must lie inside the
 * file: every byte of every tensor is read. Writing what was read and reading it again gives the same tensors. */
#include "base/file.h"
#include "base/mem.h"
#include "base/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file in memory, made once and written over for every input. */
static const char *path_of(char path[64], const char *name)
{
    snprintf(path, 64, "/dev/shm/tdm-fuzz-%s-%ld", name, (long)getpid());
    return path;
}

static void put(const char *path, const uint8_t *data, size_t size)
{
    const uint8_t length[8] = {data[0], data[1]};
    bool whole = data[0] == 0xff && data[1] == 0xff;
    FILE *f = fopen(path, "wb");
    if (!f || (!whole && fwrite(length, 1, 8, f) != 8) || fwrite(data + 2, 1, size - 2, f) != size - 2 || fclose(f))
        abort();
}

static uint64_t touch(const tdm_tensor *t)
{
    const uint8_t *p = t->data;
    uint64_t sum = 0;
    for (size_t i = 0, n = tdm_tensor_count(t) * tdm_dtype_size(t->dtype); i < n; i++) sum = sum * 31 + p[i];
    return sum;
}

static void again(const tdm_safetensors *s)
{
    char path[64];
    size_t n = tdm_safetensors_n(s);
    tdm_tensor *t = tdm_new(n, sizeof *t);
    tdm_safetensors *back;
    if (!t) abort();
    for (size_t i = 0; i < n; i++) t[i] = *tdm_safetensors_at(s, i);
    tdm_status st = tdm_safetensors_write(path_of(path, "again"), t, n, NULL, NULL);
    if (st || tdm_safetensors_open(&back, path, NULL) || tdm_safetensors_n(back) != n) abort();
    for (size_t i = 0; i < n; i++) {
        const tdm_tensor *b = tdm_safetensors_find(back, t[i].name);
        if (!b || b->dtype != t[i].dtype || b->dims != t[i].dims || touch(b) != touch(&t[i])) abort();
        if (memcmp(b->shape, t[i].shape, sizeof b->shape)) abort();
    }
    tdm_safetensors_close(back);
    tdm_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    tdm_safetensors *s;
    const void *p;
    if (size < 2) return 0;
    put(path_of(path, "safetensors"), data, size);
    if (tdm_safetensors_open(&s, path, NULL)) return 0;
    bool plain = true; /* a name that is not UTF-8 is written with U+FFFD and need not be found again */
    for (size_t i = 0; i < tdm_safetensors_n(s); i++) {
        const tdm_tensor *t = tdm_safetensors_at(s, i);
        for (const char *c = t->name; *c; c++) plain = plain && *c > 0x1f && *c < 0x7f;
        (void)touch(t);
        (void)tdm_safetensors_need(s, &p, t->name, TDM_F32, tdm_tensor_count(t), NULL);
    }
    for (size_t n = 0; n < 4; n++) {
        tdm_strings names;
        if (tdm_safetensors_strings(s, &names, "a", n, NULL)) continue;
        for (size_t i = 0; i < n; i++) {
            tdm_str one = tdm_strings_at(&names, i);
            for (size_t k = 0; k < one.n; k++) (void)*(const volatile char *)(one.p + k);
        }
    }
    (void)tdm_safetensors_meta(s, "a");
    if (plain) again(s);
    tdm_safetensors_close(s);
    return 0;
}
