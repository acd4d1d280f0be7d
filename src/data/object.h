/* SPDX-License-Identifier: Apache-2.0 */
/* object.h - the wanted members of one JSON object, as text. Inside this floor only.
 *
 *     static int want(void *ctx, tdm_str key) { return tdm_str_is(key, "asin") ? 0 : -1; }
 *
 *     tdm_object_read(o, line, want, NULL, &python, &value, &n, &whole, err);
 *     for (size_t i = 0; i < n; i++) ... value[i].slot, value[i].text
 *
 * What is read is more than JSON: a Python dict, NaN and Infinity (as null), numbers like 007, +5, .5 and 5., control
 * characters that stand in a string as they are, single bytes that are no UTF-8 (as tdm_clean_utf8 takes them).
 * Everything else has to be right, in the members that are passed over too: commas, colons, words, numbers, escapes,
 * and nothing but white space behind the object. Brackets may stand 1,024 deep. */
#ifndef TDM_DATA_OBJECT_H
#define TDM_DATA_OBJECT_H

#include "base/bytes.h"
#include "base/status.h"

/* A reader with its room, one for each thread. It keeps the room of the longest object it has met. */
typedef struct tdm_objects tdm_objects;

/* The slot (0 or more) of a member that is wanted, -1: pass it over. `key` is unescaped and good for the call only. It
 * is asked in file order for every member of the object (not for those of objects inside), again from the start where a
 * text is read once more because it was no JSON as it stood. */
typedef int tdm_object_want(void *ctx, tdm_str key);

typedef struct tdm_object_value {
    int slot;
    tdm_str text;
} tdm_object_value;

tdm_status tdm_objects_open(tdm_objects **out, tdm_err *err);
void tdm_objects_close(tdm_objects *o);

/* Reads the one object that `text` is. *whole: it is one, whole; else there are no values. *python is set where it was
 * a Python dict, and never cleared. Fails only for lack of memory.
 *
 * Values come in file order, those of a key that stands twice both. They are good until the next call and while `text`
 * is: most lie in it.
 *   text     unescaped; half of a surrogate pair and \u0000 are U+FFFD; UTF-8 always
 *   number   its own characters (so that 76561197970982479 stays whole), but 5.0 is 5 and 1e3 is 1000
 *   boolean  true, false
 *   list     its members each on a line, those of lists in it too; null, objects and empty texts in it passed over
 *   null and an object give no value; an empty text or list gives an empty one. */
tdm_status tdm_object_read(tdm_objects *o, tdm_str text, tdm_object_want *want, void *ctx, bool *python,
                           const tdm_object_value **values, size_t *n, bool *whole, tdm_err *err);

#endif
