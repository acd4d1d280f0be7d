/* SPDX-License-Identifier: Apache-2.0 */
/* mem.h - the only allocator: zeroed, 64-byte aligned, overflow-checked, counted, and able to fail on request. */
#ifndef TDM_BASE_MEM_H
#define TDM_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

enum { TDM_ALIGN = 64 };

/* `n` objects of `size` bytes, all zero; NULL where memory is short or n * size overflows. n = 0 gives a block that
 * may be freed and not read. Large blocks come from the kernel as untouched zero pages. */
void *tdm_new(size_t n, size_t size);

/* Gives a block back; tdm_free(NULL) is fine. */
void tdm_free(void *p);

/* Gives memory that was freed back to the system, where the C library can: worth a call after large work is done. */
void tdm_mem_trim(void);

/* Makes room for at least `need` objects of `size` bytes in the block *p of *cap objects, at least doubling, so that n
 * appends cost O(n). Contents are kept, new room is zero. Returns 0, or -1 with *p and *cap as they were. */
int tdm_grow(void *p, size_t *cap, size_t need, size_t size);

/* A copy of `n` bytes with a NUL behind them; NULL where memory is short. */
char *tdm_strndup(const char *s, size_t n);
char *tdm_strdup(const char *s);

/* For tests: blocks alive now; bytes alive now; and "the k-th allocation from now fails" (-1: never). */
size_t tdm_mem_live(void);
size_t tdm_mem_bytes(void);
void tdm_mem_fail_after(long k);

#endif
