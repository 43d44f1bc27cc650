import JSON
import PMAPI
import PMSystem

/// The list of commands of a container: its commands.json.
enum CommandListFile {
    /// Reads the file.
    ///
    /// - Throws: a 400 with the place of an error, a 404 when it cannot be read.
    static func read(_ path: String) throws(APIError) -> JSONValue {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try Files.read(path)
        } catch {
            throw .notFound("cannot read the list of commands: \(error)")
        }
        do throws(JSONError) {
            return try JSONValue(parsing: bytes)
        } catch {
            throw .badRequest("\(path):\(error.line):\(error.column): \(error.reason)")
        }
    }
}
