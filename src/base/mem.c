/* SPDX-License-Identifier: Apache-2.0 */
/* mem.c - tdm_new over calloc, so that large blocks are untouched zero pages.
 *
 *     raw ............ [header, 64 bytes][block, 64-byte aligned, n * size bytes]
 *
 * The header holds where calloc's block began and how long ours is. The counters are the one global state of the
 * library: they are for tests, and cost one relaxed atomic addition each. */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#ifdef __linux__
#include <sys/mman.h>
#endif

struct header {
    void *raw;
    size_t bytes;
};

static atomic_size_t live, live_bytes;
static atomic_long fail_after = -1;

static struct header *header_of(void *p) { return (struct header *)((char *)p - TDM_ALIGN); }

static int told_to_fail(void)
{
    if (atomic_load_explicit(&fail_after, memory_order_relaxed) < 0) return 0;
    return atomic_fetch_sub_explicit(&fail_after, 1, memory_order_relaxed) == 0;
}

/* Asks for pages of 2 MB where a block is many of them: matrices that are walked across meet thousands of small pages,
 * more than a processor remembers the places of. */
static void ask_for_large_pages(char *p, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    const uintptr_t page = (uintptr_t)2 << 20;
    uintptr_t from = ((uintptr_t)p + page - 1) & ~(page - 1), to = ((uintptr_t)p + bytes) & ~(page - 1);
    if (bytes >= 8 * page && from < to) (void)madvise((void *)from, to - from, MADV_HUGEPAGE); /* a hint: it may not */
#else
    (void)p;
    (void)bytes;
#endif
}

void *tdm_new(size_t n, size_t size)
{
    if (size && n > (SIZE_MAX / 2 - 2 * TDM_ALIGN) / size) return NULL;
    if (told_to_fail()) return NULL;
    size_t bytes = n * size;
    char *raw = calloc(1, bytes + 2 * TDM_ALIGN);
    if (!raw) return NULL;
    uintptr_t at = ((uintptr_t)raw + 2 * TDM_ALIGN - 1) & ~(uintptr_t)(TDM_ALIGN - 1);
    char *p = raw + (at - (uintptr_t)raw);
    ask_for_large_pages(p, bytes);
    *header_of(p) = (struct header){raw, bytes};
    atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&live_bytes, bytes, memory_order_relaxed);
    return p;
}

void tdm_free(void *p)
{
    if (!p) return;
    atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&live_bytes, header_of(p)->bytes, memory_order_relaxed);
    free(header_of(p)->raw);
}

void tdm_mem_trim(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

int tdm_grow(void *p, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap) return 0;
    void *old;
    memcpy(&old, p, sizeof old); /* `p` is the address of a pointer of the caller's own type */
    size_t n = *cap * 2 > need ? *cap * 2 : need;
    if (n < 16) n = 16;
    void *fresh = tdm_new(n, size);
    if (!fresh) return -1;
    if (old) memcpy(fresh, old, *cap * size);
    tdm_free(old);
    memcpy(p, &fresh, sizeof fresh);
    *cap = n;
    return 0;
}

char *tdm_strndup(const char *s, size_t n)
{
    char *copy = tdm_new(n + 1, 1);
    if (copy && n) memcpy(copy, s, n);
    return copy;
}

char *tdm_strdup(const char *s) { return tdm_strndup(s, strlen(s)); }

size_t tdm_mem_live(void) { return atomic_load(&live); }
size_t tdm_mem_bytes(void) { return atomic_load(&live_bytes); }
void tdm_mem_fail_after(long k) { atomic_store(&fail_after, k); }
