/* SPDX-License-Identifier: Apache-2.0 */
/* test_source.c - what fuzzing packed files brought up. That they come out whole in all forms, tests/damage says. */
#include "check.h"

#include "base/rng.h"
#include "data/source.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEP = 1 << 18, ROOM = 2 * STEP };

/* One file of `n` bytes packed; the length. */
static size_t pack(char *to, const char *p, size_t n, int (*format)(struct archive *), int (*filter)(struct archive *))
{
    size_t used = 0;
    struct archive *a = archive_write_new();
    struct archive_entry *e = archive_entry_new();
    CHECK(a && e && !format(a) && !filter(a));
    CHECK(!archive_write_set_bytes_per_block(a, 0) && !archive_write_open_memory(a, to, ROOM, &used));
    archive_entry_set_pathname(e, "log.csv");
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_size(e, (la_int64_t)n);
    CHECK(!archive_write_header(a, e) && archive_write_data(a, p, n) == (la_ssize_t)n);
    archive_entry_free(e);
    CHECK(!archive_write_close(a));
    archive_write_free(a);
    return used;
}

/* A gzip of a tar that is filled up with zeros, as tar does, of one file of `n` bytes that do not pack; its length. */
static size_t tar_gz(char *to, size_t n)
{
    static char bytes[ROOM], tar[ROOM];
    tdm_rng rng = tdm_rng_make(1, 2, 3);
    for (size_t i = 0; i < n; i++) bytes[i] = (char)(32 + tdm_rng_below(&rng, 200));
    size_t used = pack(tar, bytes, n, archive_write_set_format_ustar, archive_write_add_filter_none);
    memset(tar + used, 0, 10240);
    return pack(to, tar, used + 10240, archive_write_set_format_raw, archive_write_add_filter_gzip);
}

static tdm_status read_all(const char *p, size_t n, tdm_err *err)
{
    tdm_source *s;
    tdm_status st = tdm_source_open_bytes(&s, "log.tar.gz", p, n, err);
    if (st) return st;
    while (!(st = tdm_source_fill(s, 1000, err)) && tdm_source_ahead(s).n) {
        tdm_source_take(s, tdm_source_ahead(s).n, 0);
        CHECK(tdm_source_read(s) <= tdm_source_size(s)); /* or progress would pass its end */
    }
    tdm_source_close(s);
    return st;
}

/* A tar says itself where it ends; the checksum of the gzip around it stands behind that, and where the two fall into
 * different steps of reading it was never looked at. */
static void the_checksum_behind_a_tar_is_looked_at(void **state)
{
    (void)state;
    static char packed[ROOM];
    tdm_err err;
    const size_t n = STEP - 512 - 1024; /* with its head and the tar's end one step; zeros and checksum the next */
    size_t used = tar_gz(packed, n);
    CHECK_OK(read_all(packed, used, &err), err);
    packed[used - 6] ^= 1;
    CHECK(read_all(packed, used, &err) == TDM_E_IO);
    CHECK(strstr(err.msg, "log.tar.gz: could not be read: incorrect data check"));

    char path[] = "/tmp/tandem-source-XXXXXX";
    int fd = mkstemp(path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");
    CHECK(f && fwrite(packed, 1, used, f) == used && !fclose(f));
    tdm_status st = tdm_source_members(path, NULL, NULL, &err); /* one file, so nothing is called */
    remove(path);
    CHECK(st == TDM_E_IO && strstr(err.msg, "incorrect data check"));
}

/* The end of a file that can be gone about in is looked at first, for a zip's list of files; that is not reading it. */
static void no_more_is_read_than_there_is(void **state)
{
    (void)state;
    tdm_err err;
    CHECK_OK(read_all("u1,i1,5\nu2,i2,4\n", 16, &err), err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checksum_behind_a_tar_is_looked_at),
        cmocka_unit_test(no_more_is_read_than_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
