DROP TABLE disbursement, hold;
