DROP TABLE ach_answer;
