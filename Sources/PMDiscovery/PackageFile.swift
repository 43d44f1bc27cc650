internal import JSON
internal import PMModel

/// A JSON file of a package, read; its values lead to problems with their place.
struct PackageFile {
    static let name = "package.json"

    let path: String
    let document: JSONDocument

    var directory: String { Paths.directory(of: path) }
    var root: JSONNode { document.root }

    /// Reads the package.json of a folder.
    init(in folder: String) throws(DiscoveryError) {
        let path = (folder == "/" ? "" : folder) + "/" + Self.name
        do throws(DiscoveryError) {
            try self.init(path: path)
        } catch  where error.kind == .missing {
            let problem = DiscoveryProblem(error.problems.first?.message ?? "", file: path, hint: Disk.mapHint)
            throw DiscoveryError(.missing, [problem])
        }
    }

    /// Reads a JSON file whose root is an object.
    init(path: String) throws(DiscoveryError) {
        self.path = path
        let bytes = try Disk.read(path)
        do throws(JSONError) {
            document = try JSONDocument(parsing: bytes)
        } catch {
            var problem = DiscoveryProblem(bytes.isEmpty ? "the file is empty" : error.reason, file: path)
            (problem.line, problem.column) = (error.line, error.column)
            throw DiscoveryError(.invalid, [problem])
        }
        guard case .object = root.value else {
            throw DiscoveryError(.invalid, [problem("expected an object, found \(root.value.summary)", root)])
        }
    }

    /// A problem of one value.
    func problem(_ message: String, _ node: JSONNode, key: String? = nil, hint: String? = nil) -> DiscoveryProblem {
        var problem = DiscoveryProblem(message, file: path, hint: hint)
        let position = document.position(of: node.offset)
        (problem.line, problem.column, problem.key) = (position.line, position.column, key)
        return problem
    }
}

extension JSONValue {
    /// The value in a few words, for messages.
    var summary: String {
        switch self {
        case .null, .bool, .number: text
        case .string(let string) where string.utf8.count > 60: "a long string"
        case .string: text
        case .array: "an array"
        case .object: "an object"
        }
    }
}
