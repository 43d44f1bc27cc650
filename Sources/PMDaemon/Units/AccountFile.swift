import Glibc
import PMModel
import PMSystem

/// /etc/passwd or /etc/group, read as it is: the daemon loads no name service modules.
struct AccountFile {
    private let entries: [[Substring]]

    /// Reads a file; one that is not there has no entries.
    init(_ path: String) {
        guard let bytes = try? Files.read(path) else {  // none, so nobody is in it
            self.init(text: "")
            return
        }
        self.init(text: String(decoding: bytes, as: UTF8.self))
    }

    /// Takes the text of such a file.
    init(text: String) {
        entries = text.split(separator: "\n").map { $0.split(separator: ":", omittingEmptySubsequences: false) }
    }

    /// The fields of a name.
    func entry(_ name: String) -> [Substring]? { entries.first { $0.first.map { $0 == name } ?? false } }

    /// The ids of all entries.
    var numbers: [UInt32] { entries.compactMap { $0.count > 2 ? AccountID.number($0[2]) : nil } }

    /// The fields of the first entry that satisfies a condition.
    func first(_ condition: ([Substring]) -> Bool) -> [Substring]? { entries.first(where: condition) }

    /// Groups that name a user as a member.
    func groups(of user: String) -> [gid_t] {
        entries.compactMap { fields in
            guard fields.count > 3, fields[3].split(separator: ",").contains(Substring(user)) else { return nil }
            return AccountID.number(fields[2])
        }
    }
}
