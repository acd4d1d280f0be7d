/* SPDX-License-Identifier: Apache-2.0 */
/* folder.h - a scratch folder of a test, gone with all that is in it when the test is over. */
#ifndef TDM_TESTS_SAMPLE_FOLDER_H
#define TDM_TESTS_SAMPLE_FOLDER_H

/* For cmocka's group setup and teardown. */
int scratch_open(void **state);
int scratch_close(void **state);

/* "<scratch>/<name>"; the last four answers stay good. */
const char *scratch(const char *name);

#endif
