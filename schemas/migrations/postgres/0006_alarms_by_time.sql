-- What rang within the last hour is counted every few seconds by every process.
create index alarms_by_time on alarms (at);
