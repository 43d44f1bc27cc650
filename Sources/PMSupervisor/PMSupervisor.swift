// PMSupervisor
