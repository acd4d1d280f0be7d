/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_gpt2.c - any bytes as a GPT-2's folder: [config.json] 0xfe [model.safetensors.index.json] 0xfe [a.safetensors].
 * What opens must be saved and be read again as the same weights. */
#include "base/file.h"
#include "gpt2/gpt2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Made once and kept: files in memory, written over for every input. */
static const char *folder(int which)
{
    static char path[2][64];
    if (!path[which][0]) {
        snprintf(path[which], sizeof path[which], "/dev/shm/tdm-fuzz-gpt2-%ld-%d", (long)getpid(), which);
        if (tdm_folder_make(path[which], NULL)) abort();
    }
    return path[which];
}

static void put(const char *name, const uint8_t *p, size_t n)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder(0), name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(p, 1, n, f) != n || fclose(f)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const name[] = {"config.json", "model.safetensors.index.json", "a.safetensors"};
    const uint8_t *p = data, *end = data + size;
    for (size_t i = 0; i < 3; i++) { /* the last takes the rest: weights have any bytes */
        const uint8_t *stop = i < 2 ? memchr(p, 0xfe, (size_t)(end - p)) : NULL;
        if (!stop) stop = end;
        put(name[i], p, (size_t)(stop - p));
        p = stop < end ? stop + 1 : end;
    }
    tdm_gpt2 *g, *again;
    if (tdm_gpt2_load(&g, folder(0), NULL)) return 0;
    if (tdm_gpt2_save(g, folder(1), NULL) || tdm_gpt2_load(&again, folder(1), NULL)) abort();
    if (g->n != again->n || memcmp(g->block, again->block, g->n * sizeof *g->block)) abort();
    tdm_gpt2_close(again);
    tdm_gpt2_close(g);
    return 0;
}
