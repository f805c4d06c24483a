/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay_main.c: the main() of a fuzz target that is built without libFuzzer: runs the target on
 * each file named, whole and then in deterministic mutations, so that `make check` replays the
 * corpus with any compiler.
 *
 *   fuzz_foo [-m MUTATIONS_PER_FILE] FILE...
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (1u << 20)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t
next_random(uint64_t *state)
{
    uint64_t x = *state;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *state = x;
    return x;
}

/* The target gets a block of exactly its size, so that a sanitizer sees a read past the end. */
static void
run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

/* One change: a byte flipped or replaced, a piece cut out, or a piece doubled. */
static size_t
mutate(uint8_t *data, size_t size, uint64_t *state)
{
    static const char tokens[] = "\r\n\t :,;\0\"0a/%\x7f\xff";
    size_t at = size ? next_random(state) % size : 0;
    size_t n = size - at < 16 ? size - at : 1 + next_random(state) % 16;

    switch (size ? next_random(state) % 4 : 4) {
    case 0:
        data[at] = (uint8_t)(data[at] ^ (1u << (next_random(state) % 8)));
        break;
    case 1:
        data[at] = (uint8_t)tokens[next_random(state) % (sizeof(tokens) - 1)];
        break;
    case 2:
        memmove(data + at, data + at + n, size - at - n);
        size -= n;
        break;
    case 3:
        if (size + n <= INPUT_MAX) {
            memmove(data + at + n, data + at, size - at);
            size += n;
        }
        break;
    default:
        break;
    }
    return size;
}

static int
replay(const char *path, unsigned long mutations, uint8_t *data, uint8_t *work)
{
    uint64_t state = 0x9e3779b97f4a7c15u;
    FILE *f = fopen(path, "rb");
    size_t size;

    if (f == NULL) {
        perror(path);
        return -1;
    }
    size = fread(data, 1, INPUT_MAX, f);
    fclose(f);
    run(data, size);
    for (unsigned long i = 0; i < mutations; i++) {
        size_t n = size;

        memcpy(work, data, size);
        for (uint64_t k = 1 + next_random(&state) % 4; k > 0; k--)
            n = mutate(work, n, &state);
        run(work, n);
    }
    return 0;
}

int
main(int argc, char **argv)
{
    uint8_t *data = malloc(INPUT_MAX), *work = malloc(INPUT_MAX);
    unsigned long mutations = 0;
    int first = 1, failed = 0;

    if (data == NULL || work == NULL)
        abort();
    if (argc > 2 && strcmp(argv[1], "-m") == 0) {
        mutations = strtoul(argv[2], NULL, 10);
        first = 3;
    }
    for (int i = first; i < argc; i++)
        failed |= replay(argv[i], mutations, data, work);
    free(data);
    free(work);
    return failed ? 1 : 0;
}
