/* Listing a directory without allocation (opendir(3) allocates). */
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *name;
    uint64_t inode;
    bool is_directory;
} directory_entry;

typedef void directory_visitor(void *context, const directory_entry *entry);

/* Calls visit for each entry but "." and ".." of the open directory; false when it could not be read to its
 * end. */
bool directory_each(int fd, directory_visitor *visit, void *context);

#endif
