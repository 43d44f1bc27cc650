#define _GNU_SOURCE
#include "include/pm_file.h"
#include "include/pm_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_SIZE 4096

void pm_memory_trim(void) {
    malloc_trim(0);
}

void pm_memory_keep(size_t largest, size_t free) {
    /* The largest size that glibc takes is 32 MB (DEFAULT_MMAP_THRESHOLD_MAX); both calls fail only above it.
     */
    mallopt(M_MMAP_THRESHOLD, (int)largest);
    mallopt(M_TRIM_THRESHOLD, (int)free);
    /* What a thread has made is kept by others, and a heap of its own would stay when it ends. */
    mallopt(M_ARENA_MAX, 1);
}

int pm_memory_share_page(pm_shared_page *out) {
    int file = pm_memfd_create("pm-turns");
    if (file < 0)
        return file;
    void *memory = MAP_FAILED;
    if (ftruncate(file, PAGE_SIZE) == 0 && fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0)
        memory = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) {
        int error = errno;
        pm_fd_close(file);
        return -error;
    }
    *out = (pm_shared_page){.fd = file, .memory = memory};
    return 0;
}
