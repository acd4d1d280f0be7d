/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors.h - named arrays in one file (huggingface.co/docs/safetensors):
 *
 *     [u64 little-endian: H][H bytes of JSON: {"name": {"dtype", "shape", "data_offsets": [begin, end]}}][data]
 *
 * Offsets count from the first byte of data. We pad the JSON with spaces to a multiple of 64 and order tensors by
 * descending element size, so that what is mapped is aligned. A reader trusts no length that the file claims. */
#ifndef TDM_BASE_SAFETENSORS_H
#define TDM_BASE_SAFETENSORS_H

#include "base/bytes.h"
#include "base/status.h"

/* name, size of an element */
#define TDM_DTYPE_LIST(X)                                                                                              \
    X(F32, 4) X(F16, 2) X(BF16, 2) X(F64, 8) X(I64, 8) X(U64, 8) X(I32, 4) X(U32, 4) X(U8, 1) X(I8, 1) X(BOOL, 1)

typedef enum tdm_dtype {
#define X(name, size) TDM_##name,
    TDM_DTYPE_LIST(X)
#undef X
} tdm_dtype;

enum { TDM_MAX_DIMS = 8 };

typedef struct tdm_tensor {
    const char *name;
    tdm_dtype dtype;
    size_t dims;
    size_t shape[TDM_MAX_DIMS];
    const void *data;
} tdm_tensor;

size_t tdm_dtype_size(tdm_dtype t);
const char *tdm_dtype_name(tdm_dtype t);
size_t tdm_tensor_count(const tdm_tensor *t); /* elements */

/* One and two dimensions in a line, for tables of tensors to write. */
tdm_tensor tdm_tensor_1d(const char *name, tdm_dtype t, const void *data, size_t n);
tdm_tensor tdm_tensor_2d(const char *name, tdm_dtype t, const void *data, size_t rows, size_t columns);

/* Writes atomically. `meta` is pairs key, value, ending in NULL (the "__metadata__" object), or NULL. */
tdm_status tdm_safetensors_write(const char *path, const tdm_tensor *t, size_t n, const char *const *meta,
                                 tdm_err *err);

/* The same, as the format's own library writes files: tensors of one element size in the order of their names, the JSON
 * padded to a multiple of 8. For files that others made and get back. */
tdm_status tdm_safetensors_write_common(const char *path, const tdm_tensor *t, size_t n, const char *const *meta,
                                        tdm_err *err);

/* The same for arrays that are never whole in memory: begin with what the tensors will be (`data` is not read), put
 * their bytes from any thread and in any order, and end, which syncs and renames. _end and _drop free; _drop leaves
 * what was at `path` before. */
typedef struct tdm_safetensors_out tdm_safetensors_out;
tdm_status tdm_safetensors_begin(tdm_safetensors_out **out, const char *path, const tdm_tensor *t, size_t n,
                                 tdm_err *err);
tdm_status tdm_safetensors_put(tdm_safetensors_out *o, size_t tensor, size_t at_byte, const void *bytes, size_t n,
                               tdm_err *err);
tdm_status tdm_safetensors_end(tdm_safetensors_out *o, bool sync, tdm_err *err);
void tdm_safetensors_drop(tdm_safetensors_out *o); /* NULL is fine */

typedef struct tdm_safetensors tdm_safetensors;

/* Maps and checks: names unique, offsets inside the file, sizes equal to shape x dtype, no overlap left unseen. */
tdm_status tdm_safetensors_open(tdm_safetensors **out, const char *path, tdm_err *err);
void tdm_safetensors_close(tdm_safetensors *s);

size_t tdm_safetensors_n(const tdm_safetensors *s);
const tdm_tensor *tdm_safetensors_at(const tdm_safetensors *s, size_t i);           /* in order of the header */
const tdm_tensor *tdm_safetensors_find(const tdm_safetensors *s, const char *name); /* NULL where there is none */
const char *tdm_safetensors_meta(const tdm_safetensors *s, const char *key);        /* NULL where there is none */

/* The data of tensor `name`, which must have this type and exactly `count` elements, else an error that names the
 * file, the tensor and both sizes. The pointer lives as long as `s`. */
tdm_status tdm_safetensors_need(const tdm_safetensors *s, const void **data, const char *name, tdm_dtype t,
                                size_t count, tdm_err *err);

/* Strings as two tensors "<name>.bytes" (U8) and "<name>.offset" (I64): reading checks that offsets rise inside the
 * blob; `n` strings are expected. tdm_tensor_strings describes the two tensors to write. */
tdm_status tdm_safetensors_strings(const tdm_safetensors *s, tdm_strings *out, const char *name, size_t n,
                                   tdm_err *err);
void tdm_tensor_strings(tdm_tensor out[2], const char *offset_name, const char *bytes_name, const tdm_strings *s);

#endif
