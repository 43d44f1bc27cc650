import PMSystem

/// The file of the ledger in the state directory: it survives pm-init, and counts until the machine starts again.
///
/// The first line is the kernel's boot ID (random(4)); after a reboot it is another one, and what was true before means
/// nothing. Room for entries is reserved when the file is made, so that a full disk cannot lose one. Nothing is synced: the
/// kernel keeps what a killed process has written, and a crash of the kernel changes the boot ID.
struct LedgerFile {
    let path: String
    private let bootLine: [UInt8]

    /// The ledger of a state directory; nil where the kernel does not tell the boot ID.
    init?(stateDirectory: String) {
        // Without /proc nothing tells a reboot: the ledger then lasts as long as pm-init.
        guard let boot = try? Files.read("/proc/sys/kernel/random/boot_id") else { return nil }
        path = stateDirectory + "/ledger"
        bootLine = boot.filter { $0 != UInt8(ascii: "\n") } + [UInt8(ascii: "\n")]
    }

    /// The entries that a daemon of this boot has left when its pm-init was killed; nil: there are none.
    ///
    /// - Throws: `SystemError` when the file cannot be read.
    func left() throws(SystemError) -> [UInt8]? {
        guard try Files.status(path) != nil else { return nil }
        let bytes = try Files.read(path)
        return bytes.starts(with: bootLine) ? Array(bytes.dropFirst(bootLine.count)) : nil
    }

    /// The entries in a descriptor that a daemon has handed over: of this file, or of memory, which has no first line.
    ///
    /// - Throws: `SystemError` when it cannot be read.
    func entries(_ descriptor: SharedFD) throws(SystemError) -> [UInt8] {
        let bytes = try MemoryFile.read(descriptor)
        return bytes.starts(with: bootLine) ? Array(bytes.dropFirst(bootLine.count)) : bytes
    }

    /// Replaces the file by one with these entries and room for more.
    ///
    /// - Returns: the file, and the place behind the entries.
    /// - Throws: `SystemError`, ENOSPC without room; the file before is still there then.
    func replace(with entries: [UInt8], room: Int) throws(SystemError) -> (file: SharedFD, end: Int) {
        let bytes = bootLine + entries
        return (try Files.replace(path, with: bytes, room: room), bytes.count)
    }

    /// Removes the file: this pm ends as requested, and the next one is a first start.
    ///
    /// - Throws: `SystemError` when it stays.
    func remove() throws(SystemError) {
        try Files.remove(path)
    }
}
