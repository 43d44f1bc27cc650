// PMLogs
