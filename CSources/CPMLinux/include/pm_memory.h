/* The process's heap, and memory that it shares. */
#ifndef PM_MEMORY_H
#define PM_MEMORY_H

#include "pm_base.h"

PM_NONNULL_BEGIN

/* Gives heap pages that are free, below others too, back to the system (malloc_trim(3), glibc >= 2.8). Takes
 * time in proportion to the heap. */
void pm_memory_trim(void);

/* Takes blocks of up to `largest` bytes from the heap, which keeps up to `free` bytes at its end between uses
 * instead of giving them back at once, both at most 32 MB (mallopt(3)): a buffer for each read costs no page
 * faults. */
void pm_memory_keep(size_t largest, size_t free);

/* A page of 4096 zeroed bytes that another process can map, too. */
typedef struct {
    int fd;                   /* its memfd, sealed against any other size, owned by the caller */
    void *PM_NULLABLE memory; /* where it is mapped here, for the life of the process */
} pm_shared_page;

/* 0 or -errno. */
int pm_memory_share_page(pm_shared_page *out);

PM_NONNULL_END

#endif
