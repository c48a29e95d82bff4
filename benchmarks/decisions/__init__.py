"""How far a detector's decisions can be trusted: alarms on normal data, and anomalies found."""
