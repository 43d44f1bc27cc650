internal import JSON
internal import PMModel
public import PMSystem

/// The configuration file on the disk: reads it, and changes it so that no writer's change and no byte of others is lost.
///
/// Every change reads the file again under a lock, so a store holds no state and any number may be used at once. All
/// calls block for as long as the disk does.
public struct ConfigStore: Sendable {
    /// The file.
    public let path: String
    /// The variables and the profile that the file is read with.
    public let values: ConfigValues
    private var file: AtomicFile

    /// Text of a new configuration.
    public static let empty =
        "{\n  \"$schema\": \"\(ConfigSchema.url)\",\n  \"containers\": {},\n  \"mapping\": {}\n}\n"

    /// A store of the file at `path`; faults are for tests.
    ///
    /// - Parameter lockTimeout: time to wait, and to block, for another program's change; nil: the default.
    /// - Throws: `ConfigError` of kind `storage` for links that go round in circles.
    public init(
        path: String, values: ConfigValues = .none, lockTimeout: Duration? = nil, faults: AtomicFileFaults = .none
    ) throws(ConfigError) {
        self.path = path
        self.values = values
        do throws(AtomicFileError) {
            var file = try AtomicFile(path, faults: faults)
            file.limit = 16 << 20
            file.lockTimeout = lockTimeout ?? file.lockTimeout
            self.file = file
        } catch {
            throw Self.unreadable(path, error)
        }
    }

    /// Keeps the content before a change in the state directory where the file is under version control: there everything
    /// beside the file would be shown as new.
    public mutating func keepPrevious(in stateDirectory: String) {
        guard VersionControl.holds(file.path) else { return }
        file.previousPath = Self.previousPath(of: path, in: stateDirectory)
    }

    /// The place for the content before a change, where the file is under version control; nil: beside the file.
    public static func previousPath(of path: String, keptIn stateDirectory: String) -> String? {
        VersionControl.holds(path) ? previousPath(of: path, in: stateDirectory) : nil
    }

    /// A state directory may be shared, so the name has the path's fingerprint.
    static func previousPath(of path: String, in stateDirectory: String) -> String {
        "\(stateDirectory)/previous-\(Fingerprint(of: path).digits).json"
    }

    /// Reads the file.
    ///
    /// - Throws: `ConfigError`: `missing` when there is none, `forbidden` or `storage` when it cannot be read, `invalid` with all errors.
    public func load() throws(ConfigError) -> ConfigFile {
        let content: AtomicFile.Content?
        do throws(AtomicFileError) {
            content = try file.read()
        } catch {
            throw Self.unreadable(path, error)
        }
        guard let content else {
            throw ConfigError(
                .missing, "there is no configuration \(path)", hint: "pm start pm makes one in the working directory")
        }
        return try read(content.bytes, content.status)
    }

    /// Reads the file; makes one with nothing in it, and the folders it stands in, where there is none.
    ///
    /// - Throws: `ConfigError` as `load` and `edit` do.
    public func loadOrCreate() throws(ConfigError) -> ConfigFile {
        let isThere: Bool
        do throws(SystemError) {
            isThere = try Files.status(path) != nil
            if !isThere { try Files.makeDirectories(Paths.directory(of: path), mode: 0o755) }
        } catch {
            throw Self.unwritable(path, .failed(error))
        }
        // Writing needs a lock beside the file, and the folder of a file that is only read may be read-only.
        if isThere { return try load() }
        var made: ConfigFile?
        return try write(&made) { old, _ throws(ConfigError) in old ?? Array(Self.empty.utf8) }
    }

    /// Makes a file with this content.
    ///
    /// - Throws: `ConfigError`: `busy` when there is one already, `invalid` with all errors of the content, else as `edit` does.
    public func create(_ bytes: [UInt8], mode: UInt32) throws(ConfigError) -> ConfigFile {
        var store = self
        store.file.newFileMode = mode
        var made: ConfigFile?
        return try store.write(&made) { old, made throws(ConfigError) in
            guard old == nil else {
                throw ConfigError(
                    .busy, "\(path) exists already", hint: "pm overwrites nothing: rename that file first")
            }
            made = try ConfigFile(path: path, bytes: bytes, values: values)
            return bytes
        }
    }

    /// Makes changes, all or none, on top of whatever the file says at that moment, and returns it as it is then.
    ///
    /// - Throws: `ConfigError`: `missing`, `invalid` when the file has errors or would have, `busy` when other programs
    ///   write it all the time, `forbidden` or `storage` for what the disk says; the file is the old one then, or, when the message
    ///   says so, the new one.
    @discardableResult
    public func edit(_ edits: [ConfigEdit]) throws(ConfigError) -> ConfigFile {
        var made: ConfigFile?
        return try write(&made) { old, made throws(ConfigError) in
            guard let old else { throw ConfigError(.missing, "there is no configuration \(path)") }
            let file = try applying(edits, to: old)
            made = file
            return file.document.bytes
        }
    }

    /// The file after the edits, each of which sees the result of the one before it. The text is parsed once for all
    /// edits of different names, and read as a configuration once, at the end.
    ///
    /// - Throws: `ConfigError` of kind `invalid` with all errors that the file has, or would have.
    public func applying(_ edits: [ConfigEdit], to bytes: [UInt8]) throws(ConfigError) -> ConfigFile {
        var document = try ConfigFile.document(path: path, bytes)
        var next = 0
        while next < edits.count {
            guard case .rename(let rename) = edits[next] else {
                document = try applying(edits, &next, to: document)
                continue
            }
            document = try renaming(rename, in: document)
            next += 1
        }
        do throws(ConfigError) {
            return try ConfigFile(path: path, document, values)
        } catch {
            // Errors that the file had keep the lines that they had.
            _ = try ConfigFile(path: path, bytes: bytes, values: values)
            throw error
        }
    }

    private func renaming(_ rename: ServiceRename, in document: JSONDocument) throws(ConfigError) -> JSONDocument {
        var renaming = try ConfigRenaming(
            rename, try ConfigFile(path: path, document, values).configuration, document)
        let bytes: [UInt8]
        do throws(JSONError) {
            bytes = try renaming.bytes()
        } catch {
            throw ConfigError(noJSON: error, in: path, isEmpty: document.bytes.isEmpty)
        }
        let renamed = try ConfigFile.document(path: path, bytes)
        try renaming.check(try ConfigFile(path: path, renamed, values).configuration)
        return renamed
    }

    /// The text after as many edits from `next` on as are independent of each other.
    private func applying(
        _ edits: [ConfigEdit], _ next: inout Int, to document: JSONDocument
    ) throws(ConfigError) -> JSONDocument {
        let entries = ConfigEntries(document, path, values)
        var subjects: Set<[String]> = []
        var changes: [JSONTextEdit.Change] = []
        repeat {
            changes += edits[next].changes(in: entries).flatMap(entries.placed)
            if let subject = edits[next].subject { subjects.insert(subject) }
            next += 1
        } while next < edits.count && !subjects.isEmpty
            && edits[next].subject.map { !subjects.contains($0) } ?? false
        var text = JSONTextEdit(document)
        do {
            try text.set(all: changes)
        } catch {
            let keys = (error as? JSONTextEdit.Refusal)?.keys ?? changes.first?.keys ?? []
            throw ConfigError(.invalid, "cannot set \(keys.joined(separator: ".")) in \(path): \(error)")
        }
        return try ConfigFile.document(path: path, text.bytes)
    }

    /// Reads the file, and warns when other users can read secrets in it.
    private func read(_ bytes: [UInt8], _ status: FileStatus?) throws(ConfigError) -> ConfigFile {
        complete(try ConfigFile(path: path, bytes: bytes, values: values), status)
    }

    private func complete(_ file: ConfigFile, _ status: FileStatus?) -> ConfigFile {
        var file = file
        file.status = status
        file.exposure = ConfigSecrets.warning(file, mode: status?.mode ?? 0)
        return file
    }

    /// `made` is the file that the change has read already.
    private func write(
        _ made: inout ConfigFile?, _ change: ([UInt8]?, inout ConfigFile?) throws(ConfigError) -> [UInt8]
    ) throws(ConfigError) -> ConfigFile {
        try makePreviousFolder()
        do {
            let updated = try file.update { old in try change(old?.bytes, &made) }
            let bytes = updated.bytes ?? []
            guard let made, made.document.bytes == bytes else { return try read(bytes, updated.status) }
            return complete(made, updated.status)
        } catch let error as ConfigError {
            throw error
        } catch let error as AtomicFileError {
            throw Self.unwritable(path, error)
        } catch let error as SystemError {
            throw ConfigError(error, "\(path) was changed: \(error)")
        } catch {
            throw ConfigError(.storage, "cannot change \(path): \(error)")
        }
    }

    private func makePreviousFolder() throws(ConfigError) {
        let folder = Paths.directory(of: file.previousPath)
        guard folder != Paths.directory(of: file.path) else { return }
        do throws(SystemError) {
            try Files.makeDirectories(folder)
        } catch {
            let message = "cannot change \(path): its content cannot be kept in the state directory: \(error)"
            throw ConfigError(error, message, hint: StorageHint.text(for: error))
        }
    }

    private static func unreadable(_ path: String, _ error: AtomicFileError) -> ConfigError {
        let message = "cannot read \(path): \(error)"
        guard case .failed(let cause) = error else { return ConfigError(.storage, message) }
        return ConfigError(cause, message, hint: MachineLimit(cause.code)?.hint)
    }

    private static func unwritable(_ path: String, _ error: AtomicFileError) -> ConfigError {
        switch error {
        case .failed(let cause):
            ConfigError(cause, "cannot change \(path): \(cause)", hint: StorageHint.text(for: cause))
        case .notDurable:
            ConfigError(.storage, "\(path): \(error)", hint: "check the disk; the system log may say more")
        case .locked(let lock):
            ConfigError(
                .locked, "cannot change \(path): \(error)", hint: "try again; \"fuser \(lock)\" names the program")
        case .keepsChanging:
            ConfigError(.busy, "cannot change \(path): \(error)", hint: "try again when it has finished")
        }
    }
}
